import type { ChannelView } from "@batchnorm/spec";
import { type Elements, isFloat32, type TensorView } from "../memory/elements.ts";
import { channelsOf, narrowPlain, widenPlain } from "./half.ts";

/**
 * y = (x - mean) * slope + offset over `[outer, channels, inner]`, constants `[channels]`. The arithmetic is float64 and rounds
 * once, into y, which may be x itself. Of tensors in runs (`inner` > 1) it may be some channels alone.
 */
export function normalizePlain(
  x: Elements,
  y: Elements,
  view: TensorView,
  mean: Float64Array,
  slope: Float64Array,
  offset: Float64Array,
  from: number = 0,
  to: number = view.channels,
): void {
  if (!isFloat32(x) || !isFloat32(y)) {
    const own = channelsOf(view, from, to);
    const values = widenPlain(x, view, from, to);
    normalizePlain(values, values, own, mean.subarray(from, to), slope.subarray(from, to), offset.subarray(from, to));
    narrowPlain(values, y, view, from, to);
  } else if (view.inner === 1) normalizeColumns(x, y, view, mean, slope, offset);
  else normalizeRuns(x, y, view, mean, slope, offset, from, to);
}

/** Four rows share a load of their constants: 1.5 ns an element, against 3.5 row by row. */
function normalizeColumns(
  x: Float32Array,
  y: Float32Array,
  { outer, channels }: ChannelView,
  mean: Float64Array,
  slope: Float64Array,
  offset: Float64Array,
): void {
  let k = 0;
  let o = 0;
  for (; o + 4 <= outer; o += 4, k += 3 * channels) {
    for (let c = 0; c < channels; c++, k++) {
      const m = mean[c];
      const s = slope[c];
      const b = offset[c];
      const second = k + channels;
      const third = second + channels;
      const fourth = third + channels;
      y[k] = (x[k] - m) * s + b;
      y[second] = (x[second] - m) * s + b;
      y[third] = (x[third] - m) * s + b;
      y[fourth] = (x[fourth] - m) * s + b;
    }
  }
  for (; o < outer; o++) {
    for (let c = 0; c < channels; c++, k++) y[k] = (x[k] - mean[c]) * slope[c] + offset[c];
  }
}

function normalizeRuns(
  x: Float32Array,
  y: Float32Array,
  { outer, channels, inner }: ChannelView,
  mean: Float64Array,
  slope: Float64Array,
  offset: Float64Array,
  from: number,
  to: number,
): void {
  for (let o = 0; o < outer; o++) {
    let k = (o * channels + from) * inner;
    for (let c = from; c < to; c++) {
      const m = mean[c];
      const s = slope[c];
      const b = offset[c];
      for (const end = k + inner; k < end; k++) y[k] = (x[k] - m) * s + b;
    }
  }
}
