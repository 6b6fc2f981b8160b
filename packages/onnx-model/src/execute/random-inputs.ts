import { BatchNormError } from "@batchnorm/spec";
import type { OnnxModel } from "../file/model.ts";
import { ElementType } from "../proto/index.ts";
import { type Feeds, halfTensor, type Runtime } from "./runtime.ts";

export interface RandomOptions {
  readonly seed?: number;
  /** The shapes of inputs by name, where those in the file will not do. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
}

/** What a dimension that the caller chooses gets: the batch, and all others. */
const BATCH = 4;
const OTHER = 32;

/**
 * Inputs for a model out of a seed: normally distributed floats, for integers zeros and ones. The same seed gives the
 * same numbers everywhere.
 *
 * @throws BatchNormError `invalid-argument` for a seed that is none, `unsupported` for an input of a type or rank that
 * the file does not say.
 */
export function randomInputs(
  { proto }: OnnxModel,
  { Tensor }: Pick<Runtime, "Tensor">,
  { seed = 0, shapes = {} }: RandomOptions = {},
): Feeds {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new BatchNormError("invalid-argument", "The seed is wrong", seed, "a whole number");
  const uniform = generator(seed);
  const normal = normalOf(uniform);
  const bit = (): number => (uniform() < 0.5 ? 0 : 1);
  const initializers = new Set(proto.graph?.initializer.map(({ name }) => name));
  const feeds: Record<string, Feeds[string]> = {};
  for (const { name, type } of proto.graph?.input ?? []) {
    if (initializers.has(name)) continue;
    const tensor = type?.value.case === "tensorType" ? type.value.value : undefined;
    const declared = tensor?.shape?.dim.map(({ value }, axis) => {
      if (value.case === "dimValue" && value.value > 0n) return Number(value.value);
      return axis === 0 ? BATCH : OTHER;
    });
    const shape = shapes[name] ?? declared;
    if (shape === undefined) throw new BatchNormError("unsupported", `The file does not say the rank of ${name}`, name, "a shape for it");
    const length = shape.reduce((product, dimension) => product * dimension, 1);
    const fill = (next: () => number): number[] => Array.from({ length }, next);
    switch (tensor?.elemType) {
      case ElementType.float32:
        feeds[name] = new Tensor("float32", Float32Array.from(fill(normal)), shape);
        break;
      case ElementType.float16:
        feeds[name] = halfTensor(Tensor, fill(normal), shape);
        break;
      case ElementType.float64:
        feeds[name] = new Tensor("float64", Float64Array.from(fill(normal)), shape);
        break;
      case ElementType.int64:
        feeds[name] = new Tensor("int64", BigInt64Array.from(fill(bit), BigInt), shape);
        break;
      case ElementType.int32:
        feeds[name] = new Tensor("int32", Int32Array.from(fill(bit)), shape);
        break;
      case ElementType.bool:
        feeds[name] = new Tensor("bool", Uint8Array.from(fill(bit)), shape);
        break;
      default:
        throw new BatchNormError(
          "unsupported",
          `The input ${name} is of a type that is not made up`,
          tensor?.elemType,
          "floats or integers",
        );
    }
  }
  return feeds;
}

/** Normally distributed numbers, always the same. */
export function normals(length: number): Float64Array {
  const normal = normalOf(generator(0));
  return Float64Array.from({ length }, normal);
}

/** Box and Muller: 1 - u is never 0, whose logarithm is infinite. */
function normalOf(uniform: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Uniform in [0, 1): a Weyl sequence through a mixer of 32 bits. */
function generator(seed: number): () => number {
  let state = seed % 2 ** 32;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
