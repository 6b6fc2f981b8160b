import type { ChannelView } from "@batchnorm/spec";

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, over `[outer, channels, inner]`.
 *
 * `mean` and `inverseDeviation` = 1 / sqrt(variance + epsilon) are `[channels]`; gamma null is 1, beta null is 0. The
 * arithmetic is float64 and rounds once, into y, which may be x itself. Source: Ioffe & Szegedy 2015, algorithm 1.
 */
export function normalize(
  x: Float32Array,
  y: Float32Array,
  { outer, channels, inner }: ChannelView,
  mean: Float64Array,
  inverseDeviation: Float64Array,
  gamma: Float32Array | null,
  beta: Float32Array | null,
): void {
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const center = mean[c];
      const slope = gamma === null ? inverseDeviation[c] : gamma[c] * inverseDeviation[c];
      const offset = beta === null ? 0 : beta[c];
      for (const end = k + inner; k < end; k++) y[k] = (x[k] - center) * slope + offset;
    }
  }
}
