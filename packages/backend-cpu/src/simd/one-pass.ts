import type { ChannelView } from "@batchnorm/spec";

// Mean and variance from one pass, around an origin that lies within the channel's own data:
//
//     mean = origin + first / n      variance = (second - first^2 / n) / n
//
// with first = sum(x - origin), second = sum((x - origin)^2) in float64.

/**
 * Where (mean - origin)^2 is more than this many variances, the difference above has cost ten of 53 bits, and the sums are taken again
 * around the mean that they gave. In ordinary data none is: the channel's first element lies 32 deviations off.
 */
const WORST_ORIGIN = 2 ** 10;

/** The first visible element of each channel, or 0 where it is not finite: a difference of two infinities would hide an infinite mean. */
export function firstElements(x: Float32Array, { channels, inner }: ChannelView, mask: Uint8Array | null, origin: Float64Array): void {
  const position = mask === null ? 0 : mask.findIndex((visible) => visible !== 0);
  const start = Math.floor(position / inner) * channels * inner + (position % inner);
  for (let c = 0; c < channels; c++) {
    const value = x[start + c * inner];
    origin[c] = Number.isFinite(value) ? value : 0;
  }
}

/** Turns the two sums into mean and variance; false where an origin was too far off, and mean is a better one. */
export function finishMoments(n: number, origin: Float64Array, first: Float64Array, second: Float64Array): boolean {
  let good = true;
  for (let c = 0; c < origin.length; c++) {
    const shift = first[c] / n;
    const variance = Math.max((second[c] - first[c] * shift) / n, 0);
    if (shift * shift > WORST_ORIGIN * variance) good = false;
    first[c] = origin[c] + shift;
    second[c] = variance;
  }
  return good;
}
