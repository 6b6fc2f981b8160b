import type { ChannelView } from "@batchnorm/spec";
import { type Elements, elementAt, type TensorView } from "../memory/elements.ts";
import { momentsPlain } from "../plain/sums.ts";
import { sweepMoments, wholeTensors } from "../simd/sweep.ts";
import { checkData, checkMaskData, type Engine, memoryFor } from "./engine.ts";
import { scratchArrays } from "./scratch.ts";

// Mean and variance from one pass, around an origin that lies within the channel's own data:
//
//     mean = origin + first / n      variance = (second - first^2 / n) / n
//
// with first = sum(x - origin), second = sum((x - origin)^2) in float64.

/**
 * Where (mean - origin)^2 is more than this many variances, the difference above has cost ten of 53 bits, and the sums are taken
 * again around the mean that they gave. In ordinary data none is: the channel's first element lies 32 deviations off.
 */
const WORST_ORIGIN = 2 ** 10;

/**
 * The mean and the population variance of every channel of x, into `[channels]` arrays; returns n, the number of elements behind
 * each. An offset of the data costs no digits (clause 12.6). `mask` is `[outer, inner]`, 0 hides an element; a hidden NaN stays
 * hidden (clause 9.6). With n = 0 both arrays are NaN.
 *
 * @throws BatchNormError `data-length`.
 */
export function moments(
  engine: Engine,
  x: Elements,
  view: TensorView,
  mask: Uint8Array | null,
  mean: Float64Array,
  variance: Float64Array,
): number {
  checkData("x", x, view);
  checkMaskData(mask, view);
  const n = countElements(view, mask);
  if (n === 0) {
    mean.fill(Number.NaN);
    variance.fill(Number.NaN);
    return 0;
  }
  const { origin } = scratchArrays(engine, view.channels);
  firstElements(x, view, mask, origin);
  sum(engine, x, view, mask, origin, mean, variance);
  if (!finishMoments(n, view.channels, origin, mean, variance)) {
    // An infinite mean stays where its channel's origin is: as an origin it would turn into NaN, whatever channel is in need.
    for (let c = 0; c < view.channels; c++) if (mean[c] - mean[c] === 0) origin[c] = mean[c];
    sum(engine, x, view, mask, origin, mean, variance);
    finishMoments(n, view.channels, origin, mean, variance);
  }
  return n;
}

function sum(
  engine: Engine,
  x: Elements,
  view: TensorView,
  mask: Uint8Array | null,
  origin: Float64Array,
  first: Float64Array,
  second: Float64Array,
): void {
  const memory = memoryFor(engine, x.length);
  if (memory === null) momentsPlain(x, view, mask, origin, first, second);
  else sweepMoments(wholeTensors(memory, view, x, null, null), mask, { origin, first, second });
}

/** The first visible element of each channel, or 0 where it is not finite: a difference of two infinities would hide an infinite mean. */
function firstElements(x: Elements, { channels, inner, half }: TensorView, mask: Uint8Array | null, origin: Float64Array): void {
  const position = mask === null ? 0 : mask.findIndex((visible) => visible !== 0);
  const start = Math.floor(position / inner) * channels * inner + (position % inner);
  for (let c = 0, k = start; c < channels; c++, k += inner) {
    const value = elementAt(x, k, half);
    origin[c] = value - value === 0 ? value : 0;
  }
}

/** Turns the two sums into mean and variance; false where an origin was too far off, and mean is a better one. */
function finishMoments(n: number, channels: number, origin: Float64Array, first: Float64Array, second: Float64Array): boolean {
  const inverse = 1 / n;
  let good = true;
  for (let c = 0; c < channels; c++) {
    const shift = first[c] * inverse;
    // Rounding may leave the difference below 0. A NaN stays one.
    const variance = Math.max((second[c] - first[c] * shift) * inverse, 0);
    if (shift * shift > WORST_ORIGIN * variance) good = false;
    first[c] = origin[c] + shift;
    second[c] = variance;
  }
  return good;
}

/** How many elements of each channel there are, and a mask lets through. */
function countElements({ outer, inner }: ChannelView, mask: Uint8Array | null): number {
  if (mask === null) return outer * inner;
  let count = 0;
  for (let k = 0; k < mask.length; k++) if (mask[k] !== 0) count++;
  return count;
}
