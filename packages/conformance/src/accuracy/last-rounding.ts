import { type HalfDType, PRECISIONS, spacing } from "../vectors/half.ts";
import type { Accuracy } from "./constants.ts";

/**
 * Clause 12.8: the bounds of y or dx, of which the last rounding takes half a unit in the last place more where they are of
 * half precision. The unit is that of the largest number within the bound, since that is what is rounded.
 *
 * @param bounds those of the float32 result.
 */
export function withLastRounding(
  bounds: Float64Array,
  truth: Float64Array,
  dtype: HalfDType | undefined,
  { subnormals }: Accuracy,
): Float64Array {
  if (dtype === undefined) return bounds;
  const precision = PRECISIONS[dtype];
  const leastNormal = 2 ** precision.leastExponent;
  return bounds.map((bound, k) => {
    const size = Math.abs(truth[k]);
    const rounding = spacing(size + bound, precision) / 2;
    // What is subnormal in the dtype may be 0 where the hardware flushes it.
    const flushed = subnormals === "flushed" && size - bound < leastNormal;
    return bound + (flushed ? Math.max(rounding, leastNormal) : rounding);
  });
}
