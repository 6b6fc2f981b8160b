import { fromFloat16, toFloat16 } from "@batchnorm/spec/half";
import type { Numbers } from "../graph/constant.ts";
import { SMALLEST_NORMAL_FLOAT16 } from "../tensor/half.ts";

/** Halfway from the largest float16, 65504, to what would be the next one. */
const ROUNDS_TO_INFINITY = 65520;

/** What a tensor lost on its way to float16. */
export interface Float16Loss {
  readonly tensor: string;
  readonly elements: number;
  /** Numbers that are 0 now. */
  readonly vanished: number;
  /** Numbers below 2^-14, which keep fewer than eleven binary digits. */
  readonly subnormal: number;
  /** The number that moved most, relative to itself, of those that are not 0 now; null where all are exact. */
  readonly worst: { readonly index: number; readonly before: number; readonly after: number } | null;
}

/** Compares numbers with what float16 makes of them. */
export function lossOf(tensor: string, values: Numbers): Float16Loss {
  let [vanished, subnormal, largest] = [0, 0, 0];
  let worst: Float16Loss["worst"] = null;
  for (const [index, before] of values.entries()) {
    if (before === 0 || !Number.isFinite(before)) continue;
    const after = fromFloat16(toFloat16(before));
    if (after === 0) vanished += 1;
    else if (Math.abs(before) < SMALLEST_NORMAL_FLOAT16) subnormal += 1;
    const error = Math.abs((after - before) / before);
    if (after === 0 || error <= largest) continue;
    largest = error;
    worst = { index, before, after };
  }
  return { tensor, elements: values.length, vanished, subnormal, worst };
}

/** The first number that rounds to infinity; infinity itself stays what it is. */
export function beyondFloat16(values: Numbers): number | null {
  return values.find((value) => Math.abs(value) >= ROUNDS_TO_INFINITY && Number.isFinite(value)) ?? null;
}
