import type { ChannelView } from "@batchnorm/spec";
import { type Elements, isFloat32, type TensorView } from "../memory/elements.ts";
import { channelsOf, narrowPlain, widenPlain } from "./half.ts";

/**
 * dx = dy * slope - ((x - mean) * pull + offset) over `[outer, channels, inner]`, constants `[channels]`; where the mask hides an
 * element, dy * slope (clause 10.5). The arithmetic is float64 and rounds once, into dx, which may be dy itself. Of tensors in
 * runs (`inner` > 1) it may be some channels alone.
 */
export function gradientPlain(
  dy: Elements,
  x: Elements,
  dx: Elements,
  view: TensorView,
  mask: Uint8Array | null,
  mean: Float64Array,
  slope: Float64Array,
  pull: Float64Array,
  offset: Float64Array,
  from: number = 0,
  to: number = view.channels,
): void {
  if (!isFloat32(dy) || !isFloat32(x) || !isFloat32(dx)) {
    const values = widenPlain(dy, view, from, to);
    const [m, s, p, b] = [mean, slope, pull, offset].map((each) => each.subarray(from, to));
    gradientPlain(values, widenPlain(x, view, from, to), values, channelsOf(view, from, to), mask, m, s, p, b);
    narrowPlain(values, dx, view, from, to);
  } else if (view.inner === 1) gradientColumns(dy, x, dx, view, mask, mean, slope, pull, offset);
  else gradientRuns(dy, x, dx, view, mask, mean, slope, pull, offset, from, to);
}

function gradientColumns(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  { outer, channels }: ChannelView,
  mask: Uint8Array | null,
  mean: Float64Array,
  slope: Float64Array,
  pull: Float64Array,
  offset: Float64Array,
): void {
  let k = 0;
  let o = 0;
  // Two rows share a load of their constants.
  for (; mask === null && o + 2 <= outer; o += 2, k += channels) {
    for (let c = 0; c < channels; c++, k++) {
      const m = mean[c];
      const s = slope[c];
      const p = pull[c];
      const b = offset[c];
      const next = k + channels;
      dx[k] = dy[k] * s - ((x[k] - m) * p + b);
      dx[next] = dy[next] * s - ((x[next] - m) * p + b);
    }
  }
  for (; o < outer; o++) {
    if (mask !== null && mask[o] === 0) {
      for (let c = 0; c < channels; c++, k++) dx[k] = dy[k] * slope[c];
    } else {
      for (let c = 0; c < channels; c++, k++) dx[k] = dy[k] * slope[c] - ((x[k] - mean[c]) * pull[c] + offset[c]);
    }
  }
}

function gradientRuns(
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  { outer, channels, inner }: ChannelView,
  mask: Uint8Array | null,
  mean: Float64Array,
  slope: Float64Array,
  pull: Float64Array,
  offset: Float64Array,
  from: number,
  to: number,
): void {
  for (let o = 0; o < outer; o++) {
    let k = (o * channels + from) * inner;
    for (let c = from; c < to; c++) {
      const m = mean[c];
      const s = slope[c];
      const p = pull[c];
      const b = offset[c];
      for (let i = o * inner, end = i + inner; i < end; i++, k++) {
        const hidden = mask !== null && mask[i] === 0;
        dx[k] = hidden ? dy[k] * s : dy[k] * s - ((x[k] - m) * p + b);
      }
    }
  }
}
