import type { ChannelView } from "@batchnorm/spec";

/**
 * y = (x - mean) * slope + offset over `[outer, channels, inner]`, with slope = gamma / sqrt(variance + epsilon) and offset =
 * beta, all `[channels]`. The arithmetic is float64 and rounds once, into y. Source: Ioffe and Szegedy 2015, algorithm 1.
 */
export function normalize(
  x: Float32Array,
  y: Float32Array,
  { outer, channels, inner }: ChannelView,
  mean: Float64Array,
  slope: Float64Array,
  offset: Float64Array,
): void {
  if (inner === 1) {
    for (let o = 0, k = 0; o < outer; o++) {
      for (let c = 0; c < channels; c++, k++) y[k] = (x[k] - mean[c]) * slope[c] + offset[c];
    }
    return;
  }
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const [m, s, b] = [mean[c], slope[c], offset[c]];
      for (const end = k + inner; k < end; k++) y[k] = (x[k] - m) * s + b;
    }
  }
}
