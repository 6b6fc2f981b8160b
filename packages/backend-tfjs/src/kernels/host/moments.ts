import type { ChannelView } from "@batchnorm/spec";

/**
 * The mean and the population variance of every channel of x, into `[channels]` arrays; returns n, the number of elements behind
 * each. With n = 0 both arrays are NaN.
 *
 * Two passes with float64 sums: the second squares differences from the mean, so an offset of the data costs no digits (clause
 * 12.6). `mask` is `[outer, inner]`, 0 hides; a hidden NaN stays hidden (clause 9.6).
 */
export function moments(x: Float32Array, view: ChannelView, mask: Uint8Array | null, mean: Float64Array, variance: Float64Array): number {
  const n = mask === null ? view.outer * view.inner : countVisible(mask);
  const sums = view.inner === 1 ? columnSums : runSums;
  const zero = new Float64Array(view.channels);
  sums(x, view, mask, zero, mean, false);
  for (let c = 0; c < view.channels; c++) mean[c] /= n;
  sums(x, view, mask, mean, variance, true);
  for (let c = 0; c < view.channels; c++) variance[c] /= n;
  return n;
}

/** Sums of x - center, or of its square, over the visible elements: channels last, row by row. */
function columnSums(
  x: Float32Array,
  { outer, channels }: ChannelView,
  mask: Uint8Array | null,
  center: Float64Array,
  sums: Float64Array,
  squared: boolean,
): void {
  sums.fill(0);
  for (let o = 0, k = 0; o < outer; o++, k += channels) {
    if (mask !== null && mask[o] === 0) continue;
    if (squared) {
      for (let c = 0; c < channels; c++) {
        const deviation = x[k + c] - center[c];
        sums[c] += deviation * deviation;
      }
    } else {
      for (let c = 0; c < channels; c++) sums[c] += x[k + c] - center[c];
    }
  }
}

/** The same where a channel's elements lie in runs of `inner`. */
function runSums(
  x: Float32Array,
  { outer, channels, inner }: ChannelView,
  mask: Uint8Array | null,
  center: Float64Array,
  sums: Float64Array,
  squared: boolean,
): void {
  sums.fill(0);
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++, k += inner) {
      const from = center[c];
      let sum = 0;
      for (let i = 0; i < inner; i++) {
        if (mask !== null && mask[o * inner + i] === 0) continue;
        const deviation = x[k + i] - from;
        sum += squared ? deviation * deviation : deviation;
      }
      sums[c] += sum;
    }
  }
}

function countVisible(mask: Uint8Array): number {
  let count = 0;
  for (const visible of mask) if (visible !== 0) count++;
  return count;
}
