import type { FloatTensor, ForwardResult, Gradients, HostTensor } from "@batchnorm/spec";
import { fromBfloat16, fromFloat16, type HalfDType, halfBits, halfTensorLike, toBfloat16, toFloat16 } from "@batchnorm/spec/half";
import type { HostPass, ReferenceArithmetic, Saved } from "./reference-arithmetic.ts";

/** Each step of the way into float32 and back that a mutant can get wrong. */
export interface HalfSteps {
  /** The number that the bits of x or dy stand for. */
  widen(bits: number, dtype: HalfDType): number;
  /** The bits of a number of y or dx. */
  narrow(value: number, dtype: HalfDType): number;
  /** What is done between the two, on float32 tensors. */
  arithmetic(dtype: HalfDType): ReferenceArithmetic;
}

/** The number that bits stand for. */
export function fromBits(bits: number, dtype: HalfDType): number {
  return dtype === "float16" ? fromFloat16(bits) : fromBfloat16(bits);
}

/** The bits of the nearest number of the dtype. */
export function toBits(value: number, dtype: HalfDType): number {
  return dtype === "float16" ? toFloat16(value) : toBfloat16(value);
}

/** The nearest number of the dtype. */
export function rounded(value: number, dtype: HalfDType): number {
  return fromBits(toBits(value, dtype), dtype);
}

/** The arithmetic on float32 tensors, on those of half precision, too (clause 13.3). */
export function inHalf(plain: ReferenceArithmetic, changes: Partial<HalfSteps> = {}): ReferenceArithmetic {
  const steps: HalfSteps = { widen: fromBits, narrow: toBits, arithmetic: () => plain, ...changes };
  const forward =
    (what: "infer" | "train") =>
    (pass: HostPass): ForwardResult<FloatTensor, Saved> => {
      const dtype = halfOf(pass);
      if (dtype === null) return plain[what](pass);
      const { y, ...rest } = steps.arithmetic(dtype)[what]({ ...pass, x: wide(pass.x, dtype, steps), out: null });
      return { ...rest, y: narrowed(y, pass.out, pass, dtype, steps) };
    };
  return {
    infer: forward("infer"),
    train: forward("train"),
    backward(given): Gradients<FloatTensor> {
      const dtype = halfOf(given.pass);
      if (dtype === null) return plain.backward(given);
      const { dx, ...rest } = steps.arithmetic(dtype).backward({ ...given, dy: wide(given.dy, dtype, steps), out: null });
      return { ...rest, dx: narrowed(dx, given.out, given.pass, dtype, steps) };
    },
  };
}

function halfOf({ dtype }: HostPass): HalfDType | null {
  return dtype === "float16" || dtype === "bfloat16" ? dtype : null;
}

function wide({ data, shape }: HostTensor, dtype: HalfDType, steps: HalfSteps): FloatTensor {
  return { data: Float32Array.from(halfBits(data as Uint16Array), (bits) => steps.widen(bits, dtype)), shape };
}

/** Tensors of half precision pass for those of float32 in the types of the reference. */
function narrowed({ data }: FloatTensor, out: HostTensor | null, { x, shape }: HostPass, dtype: HalfDType, steps: HalfSteps): FloatTensor {
  const to = (out ?? halfTensorLike(x as HostTensor as HostTensor<Uint16Array>, shape)) as HostTensor<Uint16Array>;
  halfBits(to.data).set(data.map((value) => steps.narrow(value, dtype)));
  return to as HostTensor as FloatTensor;
}
