import type { Normalizer } from "../kernels/normalizer.ts";

/** What the kernels need to know of each channel, `[channels]`. */
export interface Constants {
  readonly center: Float32Array;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly slope: Float32Array;
  readonly origin: Float64Array;
}

export function newConstants(channels: number): Constants {
  const float32 = (): Float32Array => new Float32Array(channels);
  return { center: float32(), scale: float32(), shift: float32(), slope: float32(), origin: new Float64Array(channels) };
}

/**
 * y = gamma * (x - mean) * inverseDeviation + beta as (x - center) * scale + shift in float32, the fewest operations that do not cancel.
 *
 * center is the mean rounded to float32, and what the rounding left goes into shift: so an offset of the data costs no digits. x - center,
 * scale, their product and shift are rounded once each and the sum once more, which makes
 *
 *     |error| <= u (3 |gamma r (x - mean)| + |beta| + |y|)     with u = 2^-24, to first order
 *
 * against the 10 u (|gamma r x| + |gamma r mean| + |beta|) of clause 12.2. Returns false where float32 cannot hold the constants,
 * and the plain kernels have to do it.
 */
export function foldNormalization({ center, scale, shift }: Constants, { mean, inverseDeviation, gamma, beta }: Normalizer): boolean {
  let fits = true;
  for (let c = 0; c < mean.length; c++) {
    const slope = gamma === null ? inverseDeviation[c] : gamma[c] * inverseDeviation[c];
    const offset = beta === null ? 0 : beta[c];
    center[c] = mean[c];
    scale[c] = slope;
    shift[c] = offset - (mean[c] - center[c]) * slope;
    fits &&= fitsCenter(center[c]) && fitsFactor(slope) && fitsSum(shift[c]);
  }
  return fits;
}

/**
 * dx = gamma * r * (dy - (dbeta + xHat * dgamma) / n) as dy * slope - ((x - center) * scale + shift) in float32, center as above.
 * Returns false where float32 cannot hold the constants.
 */
export function foldGradient(
  { center, scale, shift, slope }: Constants,
  n: number,
  { mean, inverseDeviation, gamma }: Normalizer,
  dgamma: Float64Array,
  dbeta: Float64Array,
): boolean {
  let fits = true;
  for (let c = 0; c < mean.length; c++) {
    const direct = gamma === null ? inverseDeviation[c] : gamma[c] * inverseDeviation[c];
    const through = (direct * inverseDeviation[c] * dgamma[c]) / n;
    center[c] = mean[c];
    slope[c] = direct;
    scale[c] = through;
    shift[c] = (direct * dbeta[c]) / n - (mean[c] - center[c]) * through;
    fits &&= fitsCenter(center[c]) && fitsFactor(direct) && fitsFactor(through) && fitsSum(shift[c]);
  }
  return fits;
}

/** dx = gamma * r * dy as (dy - 0) * scale + 0. */
export function foldScale({ center, scale, shift }: Constants, { inverseDeviation, gamma }: Normalizer): boolean {
  let fits = true;
  center.fill(0);
  shift.fill(0);
  for (let c = 0; c < scale.length; c++) {
    const slope = gamma === null ? inverseDeviation[c] : gamma[c] * inverseDeviation[c];
    scale[c] = slope;
    fits &&= fitsFactor(slope);
  }
  return fits;
}

// A NaN fits everywhere: it gives the NaN that it should. An infinity does not: a difference of two would be NaN.

/** x - center must not overflow for any float32 x: the largest one has half a unit in the last place of 2^103. */
function fitsCenter(value: number): boolean {
  return !(Math.abs(value) > 2 ** 100);
}

/** A factor below the normal numbers has lost digits. */
function fitsFactor(value: number): boolean {
  const size = Math.abs(value);
  return !(size > 2 ** 126) && !(size < 2 ** -126 && size > 0);
}

function fitsSum(value: number): boolean {
  return !(Math.abs(value) > 2 ** 126);
}
