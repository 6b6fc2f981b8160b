import type { Layout, Task, Work } from "./task.ts";

/** `[N, H*W, C]`: a first block of a ResNet, a mobile network's stem, a last block of a mobile network, a dense layer. */
export const SIZES: readonly (readonly [number, number, number])[] = [
  [8, 3136, 64],
  [1, 12544, 32],
  [8, 49, 1280],
  [256, 1, 512],
];

export const WORKS: readonly Work[] = ["inference", "training forward", "forward + backward"];
export const LAYOUTS: readonly Layout[] = ["channels last", "channels first"];

/** A task with random numbers, the same ones every time: x around 0.5 with a deviation of 1, as after a convolution. */
export function makeTask(work: Work, layout: Layout, size: readonly [number, number, number]): Task {
  const random = generator(size[0] * 31 + size[1] * 7 + size[2]);
  const numbers = (length: number, make: () => number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, make);
  const [batch, positions, channels] = size;
  const length = batch * positions * channels;
  // A sum of three uniform numbers has a deviation of one half, and tails.
  const x = numbers(length, () => 2 * (random() + random() + random()) - 2.5);
  return {
    work,
    layout,
    size,
    shape: layout === "channels last" ? size : [batch, channels, positions],
    axis: layout === "channels last" ? 2 : 1,
    epsilon: 1e-3,
    momentum: 0.99,
    x,
    dy: numbers(length, () => random() - 0.5),
    state: {
      parameters: { gamma: numbers(channels, () => 0.5 + random()), beta: numbers(channels, () => random() - 0.5) },
      statistics: { movingMean: numbers(channels, () => random()), movingVariance: numbers(channels, () => 0.5 + random()) },
    },
  };
}

/** Marsaglia's xorshift32, as uniform numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
