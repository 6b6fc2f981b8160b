import type { ChannelView } from "@batchnorm/spec";

/** sum(dy) and sum(dy (x - mean)) of every channel, over all its elements (clause 10.3), into `[channels]` arrays. Sums are float64. */
export function gradientSums(
  dy: Float32Array,
  x: Float32Array,
  { outer, channels, inner }: ChannelView,
  mean: Float64Array,
  sums: Float64Array,
  projections: Float64Array,
): void {
  sums.fill(0);
  projections.fill(0);
  if (inner === 1) {
    for (let o = 0, k = 0; o < outer; o++) {
      for (let c = 0; c < channels; c++, k++) {
        sums[c] += dy[k];
        projections[c] += dy[k] * (x[k] - mean[c]);
      }
    }
    return;
  }
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const m = mean[c];
      let sum = 0;
      let projection = 0;
      for (const end = k + inner; k < end; k++) {
        sum += dy[k];
        projection += dy[k] * (x[k] - m);
      }
      sums[c] += sum;
      projections[c] += projection;
    }
  }
}

/**
 * dx = slope (dy - shift - (x - mean) pull), through the statistics (clause 10.1), with shift = sum(dy) / n and pull =
 * sum(dy xHat) / (n sqrt(variance + epsilon)), `[channels]`; at hidden elements slope dy alone (clause 10.5).
 */
export function batchGradient(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  { outer, channels, inner }: ChannelView,
  mask: Uint8Array | null,
  mean: Float64Array,
  slope: Float64Array,
  shift: Float64Array,
  pull: Float64Array,
): void {
  if (inner === 1) {
    for (let o = 0, k = 0; o < outer; o++) {
      if (mask !== null && mask[o] === 0) {
        for (let c = 0; c < channels; c++, k++) dx[k] = slope[c] * dy[k];
      } else {
        for (let c = 0; c < channels; c++, k++) dx[k] = slope[c] * (dy[k] - shift[c] - (x[k] - mean[c]) * pull[c]);
      }
    }
    return;
  }
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++, k += inner) {
      const [m, s, h, p] = [mean[c], slope[c], shift[c], pull[c]];
      for (let i = 0; i < inner; i++) {
        const hidden = mask !== null && mask[o * inner + i] === 0;
        dx[k + i] = hidden ? s * dy[k + i] : s * (dy[k + i] - h - (x[k + i] - m) * p);
      }
    }
  }
}
