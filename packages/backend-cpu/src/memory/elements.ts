import type { ChannelView, FloatTensor, HostTensor } from "@batchnorm/spec";
import { fromBfloat16, fromFloat16, type HalfData, type HalfDType, halfBits, halfTensorLike } from "@batchnorm/spec/half";
import { BFLOAT16, FLOAT16 } from "./layout.generated.ts";
import { uninitializedFloats } from "./uninitialized.ts";

/** The dtypes of tensors here. */
export const DTYPES: readonly ("float32" | HalfDType)[] = ["float32", "float16", "bfloat16"];

/** The elements of a tensor: float32, or the 16 bits of half precision. */
export type Elements = Float32Array | Uint16Array;

/** A view of a tensor that says what its elements are. */
export interface TensorView extends ChannelView {
  /** What elements of 16 bits are, FLOAT16 or BFLOAT16 of the layout; left out, they are float32. */
  readonly half?: number;
}

/** The view of a tensor of this dtype. */
export function tensorView(view: ChannelView, dtype: string): TensorView {
  return dtype === "float32" ? view : { ...view, half: dtype === "float16" ? FLOAT16 : BFLOAT16 };
}

export function isFloat32(data: Elements): data is Float32Array {
  return data.BYTES_PER_ELEMENT === 4;
}

/** The dtype of a tensor that has been checked. */
export function dtypeOf({ data, dtype }: HostTensor): string {
  return data.BYTES_PER_ELEMENT === 4 ? "float32" : (dtype ?? "float16");
}

/** The bits of each Float16Array: always the same array, since windows on it are kept, and memory is given back by it. */
const bits = new WeakMap<HostTensor["data"], Uint16Array>();

/** The elements of a tensor as the kernels take them. */
export function elementsOf({ data }: HostTensor): Elements {
  // By its size where it is of another realm, which no `instanceof` of this one knows: float32 alone has four bytes.
  if (data instanceof Float32Array || data instanceof Uint16Array || data.BYTES_PER_ELEMENT === 4) return data as Elements;
  let known = bits.get(data);
  if (known === undefined) {
    known = halfBits(data as ArrayBufferView as HalfData);
    bits.set(data, known);
  }
  return known;
}

/** What `allocate` of a memory gave, where a tensor has that or a Float16Array of it. */
export function allocatedElements(data: HostTensor["data"]): Elements {
  return bits.get(data) ?? (data as Elements);
}

/** A Float16Array of these bits, where the runtime has one; the bits themselves elsewhere. */
export function float16Of(elements: Uint16Array): HalfData {
  const { Float16Array } = globalThis as { Float16Array?: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => HalfData };
  if (Float16Array === undefined) return elements;
  const data = new Float16Array(elements.buffer, elements.byteOffset, elements.length);
  bits.set(data, elements);
  return data;
}

/** The number that an element stands for. */
export function elementAt(data: Elements, index: number, half: number | undefined): number {
  const value = data[index];
  return half === FLOAT16 ? fromFloat16(value) : half === BFLOAT16 ? fromBfloat16(value) : value;
}

/** A tensor for a result, all of which is to be written; of half precision, in the kind of array that another one has. */
export function newTensor(dtype: string, shape: readonly number[], like: FloatTensor): FloatTensor {
  if (dtype === "float32") return { data: uninitializedFloats(like.data.length), shape: [...shape] };
  // The types of the contract's host tensors name float32 alone.
  return halfTensorLike(like as HostTensor as HostTensor<HalfData>, shape) as HostTensor as FloatTensor;
}
