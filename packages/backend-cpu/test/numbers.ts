import type { BatchNormConfig, FloatTensor } from "@batchnorm/spec";
import type { CpuBackend } from "../src/index.ts";

/** Numerical Recipes' linear congruential generator, as uniform numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A layer, its input, and what a backward pass starts from. */
export interface Example {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly config: Partial<BatchNormConfig>;
  readonly state: {
    readonly parameters: { readonly gamma: Float32Array; readonly beta: Float32Array };
    readonly statistics: { readonly movingMean: Float32Array; readonly movingVariance: Float32Array };
  };
  readonly x: Float32Array;
  readonly dy: Float32Array;
  /** Over all axes but the channel axis; null for none. */
  readonly mask: Uint8Array | null;
}

/** Random numbers around `offset` with a deviation of about one. */
export function example(
  shape: readonly number[],
  axis: number,
  options: { masked?: boolean; offset?: number; seed?: number } = {},
): Example {
  const { masked = false, offset = 0, seed = 1 } = options;
  const random = generator(seed);
  const numbers = (length: number, make: () => number): Float32Array => Float32Array.from({ length }, make);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const channels = shape[axis];
  return {
    shape,
    axis,
    // Momentum 0 leaves the batch's own statistics in the state.
    config: { axis, momentum: 0 },
    state: {
      parameters: { gamma: numbers(channels, () => random() * 4 - 2), beta: numbers(channels, () => random() * 2 - 1) },
      statistics: { movingMean: numbers(channels, () => offset + random()), movingVariance: numbers(channels, () => random() + 0.1) },
    },
    x: numbers(size, () => offset + 2 * (random() + random() + random()) - 3),
    dy: numbers(size, () => random() - 0.4),
    // The first element is hidden, so that no origin of sums may be taken from it.
    mask: masked ? Uint8Array.from({ length: size / channels }, (_, k) => (k > 0 && random() < 0.7 ? 1 : 0)) : null,
  };
}

/** Everything that one step of a layer gives. */
export interface Outputs {
  readonly y: Float32Array;
  readonly dx: Float32Array;
  readonly dgamma: Float32Array;
  readonly dbeta: Float32Array;
  readonly movingMean: Float32Array;
  readonly movingVariance: Float32Array;
}

/** One forward and one backward pass; with `alloc`, on tensors in kernel memory. */
export function runExample(
  backend: CpuBackend,
  { shape, axis, config, state, x, dy, mask }: Example,
  training: boolean,
  alloc = false,
): Outputs {
  const layer = backend.create(config, state);
  const tensor = (data: Float32Array | null): FloatTensor => {
    const made = alloc ? backend.alloc(shape) : { data: new Float32Array(x.length), shape };
    if (data !== null) made.data.set(data);
    return made;
  };
  const tensors = [tensor(x), tensor(dy), tensor(null), tensor(null)];
  const [input, upstream, out, dx] = tensors;
  const maskTensor = mask && { data: mask, shape: shape.filter((_, index) => index !== axis) };
  layer.call(input, { training, gradient: true, mask: maskTensor, out });
  const gradients = layer.backward(upstream, { out: dx });
  const outputs = {
    y: out.data.slice(),
    dx: dx.data.slice(),
    dgamma: gradients.dgamma?.data as Float32Array,
    dbeta: gradients.dbeta?.data as Float32Array,
    ...layer.state().statistics,
  };
  for (const each of tensors) backend.release(each);
  return outputs;
}

/** Shapes that meet every way through a tensor: columns and runs, patterns, tails, chunks, parts, blocks. */
export const SHAPES: readonly (readonly [readonly number[], number, string])[] = [
  [[1, 1], 1, "one element"],
  [[5, 3], 1, "less than one pattern"],
  [[1000, 3], 1, "a pattern that repeats, and a tail"],
  [[1000, 7], 1, "a pattern of an odd number"],
  [[3, 1000], 0, "three long runs"],
  [[1300, 64], 1, "two chunks of rows"],
  [[400, 70], 1, "columns that are no whole vectors"],
  [[20, 9000], 1, "more columns than fit a block"],
  [[33, 3000, 3], 1, "a block that ends within a channel"],
  [[3, 3000, 3], 1, "short runs in few rows"],
  [[8, 128, 7, 7], 1, "runs of 49"],
  [[3, 5, 20000], 1, "runs longer than a tile"],
  [[1, 2, 150000], 1, "runs in parts"],
  [[2, 31, 33, 3], 3, "channels last, rank 4"],
  [[6, 5, 4, 3, 2], 2, "an axis in the middle"],
  [[300, 5, 4, 3], 1, "a pattern of runs, and a tail"],
  [[66, 4, 70], 1, "more rows of runs than chunks"],
  [[100001, 1], 1, "one channel"],
  [[3, 1, 50001], 1, "one channel, between two axes"],
  [[100, 200, 2], 1, "runs of two"],
];
