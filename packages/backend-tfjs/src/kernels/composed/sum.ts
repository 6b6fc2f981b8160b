import type { Tensor, Tf } from "../../tf.ts";
import { isWebgpu } from "./webgpu.ts";
import { webgpuSum } from "./webgpu-sum.ts";

/** `sumPerChannel` for kernels, on which no tape looks: on webgpu as a program of ours. */
export function sumInKernel(tf: Tf, elements: Tensor): Tensor {
  const backend = tf.backend();
  if (!isWebgpu(backend) || elements.size === 0) return sumPerChannel(tf, elements);
  const [outer, channels, inner = 1] = elements.shape;
  const sums = inner === 1 ? elements : webgpuSum(tf, backend, tf.reshape(elements, [outer * channels, inner, 1]));
  const perChannel = webgpuSum(tf, backend, tf.reshape(sums, [1, outer, channels]));
  return tf.reshape(perChannel, elements.rank === 3 ? [1, channels, 1] : [1, channels]);
}

/** The sum of each channel over `elements`, in the shape of `channels` of `ViewShapes`, in ops that tfjs can differentiate. */
export function sumPerChannel(tf: Tf, elements: Tensor): Tensor {
  // The innermost axis first: it needs no transposition.
  return sumOver(tf, elements.rank === 3 ? sumOver(tf, elements, 2) : elements, 0);
}

/** A sum over one axis, which stays as a 1. A long one is the sum of the sums of blocks (docs/spec.md, clause 12.3). */
function sumOver(tf: Tf, elements: Tensor, axis: number): Tensor {
  const length = elements.shape[axis];
  if (longestRun(tf, length) <= LONGEST_RUN) return sum(tf, elements, axis);
  const block = blockLength(tf, length);
  const blocks = Math.ceil(length / block);
  const padding = elements.shape.map((_, index): [number, number] => [0, index === axis ? blocks * block - length : 0]);
  const padded = blocks * block === length ? elements : tf.pad(elements, padding);
  const [before, after] = [elements.shape.slice(0, axis), elements.shape.slice(axis + 1)];
  const split = tf.reshape(padded, [...before, blocks, block, ...after]);
  return sumOver(tf, tf.reshape(tf.sum(split, axis + 1), [...before, blocks, ...after]), axis);
}

/** How many terms, or fours of them, a sum may have in a row. */
const LONGEST_RUN = 32;

/**
 * How many terms tfjs 4.22 adds in a row. On webgl it sums windows and then their sums, a window being the divisor of
 * the length next to its root, and each step adds four elements; so a prime length is one window. On webgpu 64
 * threads share a sum, or more.
 */
function longestRun(tf: Tf, length: number): number {
  if (tf.getBackend() !== "webgl") return length / 64;
  if (length <= 30) return length / 4;
  let window = Math.floor(Math.sqrt(length));
  while (length % window !== 0) window++;
  return window / 4;
}

/**
 * About the root of the length: a divisor that is summed well itself, since padding is a pass over everything, or a
 * multiple of 16.
 */
function blockLength(tf: Tf, length: number): number {
  const root = Math.ceil(Math.sqrt(length));
  for (let block = root; block > root / 2; block--) if (length % block === 0 && longestRun(tf, block) <= LONGEST_RUN) return block;
  return Math.ceil(root / 16) * 16;
}

function sum(tf: Tf, elements: Tensor, axis: number): Tensor {
  if (elements.rank === 3 || tf.getBackend() !== "webgpu") return tf.sum(elements, axis, true);
  // tfjs 4.22 transposes a matrix on webgpu through shared memory before it sums, an array of rank 3 without: [6272,
  // 64] takes 470 ms on SwiftShader as the one, 50 ms as the other.
  const [outer, channels] = elements.shape;
  return tf.reshape(tf.sum(tf.reshape(elements, [1, outer, channels]), [0, 1]), [1, channels]);
}
