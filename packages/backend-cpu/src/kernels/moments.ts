import type { ChannelView } from "@batchnorm/spec";

/**
 * The mean and the population variance of every channel of x, into `[channels]` arrays; returns n, the number of elements
 * behind each.
 *
 * Two passes: the second squares differences from the mean, never x itself, so an offset of the data costs no digits
 * (clause 12.6). Sums are float64. `mask` is `[outer, inner]`, 0 hides an element; a hidden NaN stays hidden (clause 9.6).
 * With n = 0 both arrays are NaN.
 */
export function moments(x: Float32Array, view: ChannelView, mask: Uint8Array | null, mean: Float64Array, variance: Float64Array): number {
  const n = mask === null ? view.outer * view.inner : countVisible(mask);
  mean.fill(0);
  forEachVisible(view, mask, (c, k) => {
    mean[c] += x[k];
  });
  for (let c = 0; c < view.channels; c++) mean[c] /= n;
  variance.fill(0);
  forEachVisible(view, mask, (c, k) => {
    const deviation = x[k] - mean[c];
    variance[c] += deviation * deviation;
  });
  for (let c = 0; c < view.channels; c++) variance[c] /= n;
  return n;
}

/** Calls `visit(channel, offset)` for every element that the mask lets through. */
function forEachVisible(
  { outer, channels, inner }: ChannelView,
  mask: Uint8Array | null,
  visit: (channel: number, offset: number) => void,
): void {
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < inner; i++, k++) {
        if (mask === null || mask[o * inner + i] !== 0) visit(c, k);
      }
    }
  }
}

/** How many elements of each channel a mask lets through. */
export function countVisible(mask: Uint8Array): number {
  let count = 0;
  for (let k = 0; k < mask.length; k++) if (mask[k] !== 0) count++;
  return count;
}
