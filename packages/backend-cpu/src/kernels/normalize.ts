import type { ChannelView } from "@batchnorm/spec";
import type { Normalizer } from "./normalizer.ts";

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, over `[outer, channels, inner]`.
 *
 * The arithmetic is float64 and rounds once, into y, which may be x itself. Source: Ioffe & Szegedy 2015, algorithm 1.
 */
export function normalize(x: Float32Array, y: Float32Array, { outer, channels, inner }: ChannelView, normalizer: Normalizer): void {
  const { mean, inverseDeviation, gamma, beta } = normalizer;
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
