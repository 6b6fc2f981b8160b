/** The constants of each channel for float32 arithmetic, `[channels]`: (x - mean) * slope + offset, and the gradient's. */
export interface Float32Constants {
  readonly mean: Float32Array;
  readonly slope: Float32Array;
  readonly offset: Float32Array;
  /** Null where it is not read. */
  readonly pull: Float32Array | null;
}

export function newFloat32Constants(channels: number, withPull: boolean): Float32Constants {
  const float32 = (): Float32Array => new Float32Array(channels);
  return { mean: float32(), slope: float32(), offset: float32(), pull: withPull ? float32() : null };
}

/**
 * y = gamma * (x - mean) * inverseDeviation + beta as (x - mean) * slope + offset in float32, the fewest operations that do not
 * cancel: slope is gamma * inverseDeviation, offset is beta. For channels `from` to `to`.
 *
 * The mean is rounded to float32, and what the rounding left goes into the offset: so an offset of the data costs no digits.
 * x - mean, slope, their product and offset are rounded once each and the sum once more, which makes
 *
 *     |error| <= u (3 |gamma r (x - mean)| + |beta| + |y|)     with u = 2^-24, to first order
 *
 * against the 10 u (|gamma r x| + |gamma r mean| + |beta|) of clause 12.2. Returns false where float32 cannot hold the constants
 * of a channel, and the plain kernels have to do it.
 */
export function foldNormalization(
  into: Float32Constants,
  from: number,
  to: number,
  mean: Float64Array,
  slope: Float64Array,
  offset: Float64Array,
): boolean {
  let fits = true;
  for (let c = from; c < to; c++) {
    const rounded = Math.fround(mean[c]);
    const rest = offset[c] - (mean[c] - rounded) * slope[c];
    into.mean[c] = rounded;
    into.slope[c] = slope[c];
    into.offset[c] = rest;
    fits &&= fitsMean(rounded) && fitsFactor(slope[c]) && fitsSum(rest);
  }
  return fits;
}

/** dx = dy * slope - ((x - mean) * pull + offset) in float32, likewise. */
export function foldGradient(
  into: Float32Constants,
  from: number,
  to: number,
  mean: Float64Array,
  slope: Float64Array,
  pull: Float64Array,
  offset: Float64Array,
): boolean {
  let fits = foldNormalization(into, from, to, mean, pull, offset);
  for (let c = from; c < to; c++) {
    into.pull![c] = pull[c];
    into.slope[c] = slope[c];
    fits &&= fitsFactor(slope[c]);
  }
  return fits;
}

// A NaN fits everywhere: it gives the NaN that it should. An infinity does not: a difference of two would be NaN.

/** x - mean must not overflow for any float32 x: the largest one has half a unit in the last place of 2^103. */
function fitsMean(value: number): boolean {
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
