import type { OutputName } from "../vectors/format.ts";
import { type FloatDType, PRECISIONS, spacing } from "../vectors/half.ts";
import { LARGEST_FLOAT32 } from "./constants.ts";

/** How far one output lies from the truth at its worst element. */
export interface Worst {
  readonly output: OutputName;
  readonly step: number;
  readonly index: number;
  /** |error| / bound: up to 1 is within. */
  readonly share: number;
  /** |error| in units of the last place of a number of the truth's size, in the dtype of the output. */
  readonly ulp: number;
}

/** One element that lies outside its bound. */
export interface Miss extends Worst {
  readonly expected: number;
  readonly got: number;
  readonly bound: number;
}

export interface Comparison {
  /** The element with the largest share, and the largest ULP distance of any; null for an empty output. */
  readonly worst: Worst | null;
  /** The first of them and the worst, of `missed`. */
  readonly misses: readonly Miss[];
  readonly missed: number;
}

/** How many misses are kept: a wrong output of a million elements must not make a million objects. */
const KEPT_MISSES = 100;

/** The distance between neighbouring numbers of this size. */
export function unitInLastPlace(value: number, dtype: FloatDType = "float32"): number {
  return spacing(Number.isFinite(value) ? value : 0, PRECISIONS[dtype]);
}

/**
 * Holds an output against the truth, element by element. A NaN is only right where the truth is NaN, an infinity
 * where it is that infinity, or a number that the dtype does not hold (clauses 12.7 and 12.8); the sign of a zero is free
 * (clause 11.5).
 */
export function compare(
  output: OutputName,
  step: number,
  got: ArrayLike<number>,
  truth: Float64Array,
  bounds: Float64Array,
  dtype: FloatDType = "float32",
): Comparison {
  const misses: Miss[] = [];
  let missed = 0;
  let worstMiss: Miss | null = null;
  let worst: Worst | null = null;
  for (let index = 0; index < truth.length; index++) {
    const expected = truth[index];
    // Most numbers are exact, or no worse than one before: nothing is kept of them. A unit in the last place is more
    // than 2^-24, in any dtype.
    const error = Math.abs(got[index] - expected);
    const bound = bounds[index];
    if (worst !== null && error <= worst.ulp * 2 ** -24 * Math.abs(expected) && error <= worst.share * bound && bound < Infinity) continue;
    const { share, ulp } = distance(got[index], expected, bound, dtype);
    const at: Worst = { output, step, index, share, ulp };
    worst = worse(worst, at);
    if (share <= 1) continue;
    missed++;
    if (misses.length >= KEPT_MISSES && share <= (worstMiss?.share ?? 0)) continue;
    const miss: Miss = { ...at, expected, got: got[index], bound };
    if (misses.length < KEPT_MISSES) misses.push(miss);
    if (!(share <= (worstMiss?.share ?? 0))) worstMiss = miss;
  }
  if (worstMiss !== null && !misses.includes(worstMiss)) misses.push(worstMiss);
  return { worst, misses, missed };
}

/**
 * The largest error of an output as a multiple of the largest that another has made, or of a unit in the last place
 * of the largest number where that is more: below it an error is luck. Numbers that are not finite are left out.
 */
export function timesReference(
  got: ArrayLike<number>,
  reference: ArrayLike<number>,
  truth: Float64Array,
  dtype: FloatDType = "float32",
): number {
  let [error, own, scale] = [0, 0, 0];
  truth.forEach((expected, k) => {
    if (![expected, got[k], reference[k]].every(Number.isFinite)) return;
    error = Math.max(error, Math.abs(got[k] - expected));
    own = Math.max(own, Math.abs(reference[k] - expected));
    scale = Math.max(scale, Math.abs(expected));
  });
  return error / Math.max(own, unitInLastPlace(scale, dtype));
}

/** Of two, the larger share, with the larger of the two ULP distances. */
export function worse(a: Worst | null, b: Worst | null): Worst | null {
  if (a === null || b === null) return a ?? b;
  return { ...(b.share > a.share ? b : a), ulp: Math.max(a.ulp, b.ulp) };
}

/**
 * Whether an infinity stands for a finite number beyond the dtype, or for one that an error within the bound may have
 * brought there. In half precision, where the bound has the last rounding in it, an infinity counts as the number that
 * would come after the greatest one (clause 12.8).
 */
function overflows(got: number, expected: number, bound: number, dtype: FloatDType): boolean {
  // A bound beyond the number itself says nothing.
  if (!Number.isFinite(expected) || !(bound <= Math.abs(expected))) return false;
  if (Math.abs(got) !== Number.POSITIVE_INFINITY || got * expected < 0) return false;
  const most = Math.abs(expected) + bound;
  return dtype === "float32" ? most > LARGEST_FLOAT32 : most >= PRECISIONS[dtype].beyond;
}

function distance(got: number, expected: number, bound: number, dtype: FloatDType): { share: number; ulp: number } {
  if (Object.is(got, expected) || got === expected) return { share: 0, ulp: 0 };
  if (!Number.isFinite(expected) || !Number.isFinite(got)) {
    const same = (Number.isNaN(got) && Number.isNaN(expected)) || overflows(got, expected, bound, dtype);
    return same ? { share: 0, ulp: 0 } : { share: Number.POSITIVE_INFINITY, ulp: Number.POSITIVE_INFINITY };
  }
  const error = Math.abs(got - expected);
  return { share: Number.isFinite(bound) ? error / bound : Number.POSITIVE_INFINITY, ulp: error / unitInLastPlace(expected, dtype) };
}
