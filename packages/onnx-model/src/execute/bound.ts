import type { ChannelView } from "@batchnorm/spec";
import type { VarianceMethod } from "../find/batch-moments.ts";

/** Half the distance from 1 to the next float32 (clause 12.1 of the spec). */
const U = 2 ** -24;

/** What underflow costs: runtimes may flush subnormal numbers to zero, and none says whether it does (clause 12.1). */
const TINY = 2 ** -126;

/** Half the distance from 1 to the next float16, and the smallest normal one: below, runtimes may flush. */
const HALF_U = 2 ** -11;
const HALF_TINY = 2 ** -14;

/** K of clause 12.2. */
const ROUNDINGS = 10;

/** What normalizes one channel, and how far a runtime's own may be from it. */
export interface Normalizer {
  readonly mean: number;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverseDeviation: number;
  /** The bound of the mean's error: dm. */
  readonly meanError: number;
  /** The bound of the inverse deviation's relative error: rho. */
  readonly inverseDeviationError: number;
}

/** A channel in inference: the statistics are given, so dm = 0 and dv = t (clause 12.2). */
export function givenNormalizer(mean: number, variance: number, epsilon: number): Normalizer {
  return normalizer(mean, variance, 0, TINY, epsilon);
}

/**
 * A channel in training mode, of n elements whose largest and average |x - mean| are D and A: what clause 12.3 has for one
 * pass around any element of the channel, with plain float32 sums, in which a term collects n roundings:
 *
 *     h  = (n + 2) ( u (D + A) + 2^-53 |mean| ) + 7 t
 *     dm = h + u |mean|
 *     dv = (n + 5) u ( variance + 2 A D + 3 D^2 ) + (h + u |mean|)^2 + u variance + 8 t
 */
export function batchNormalizer(
  { mean, variance, count }: { readonly mean: number; readonly variance: number; readonly count: number },
  { largest, average }: { readonly largest: number; readonly average: number },
  epsilon: number,
): Normalizer {
  const h = (count + 2) * (U * (largest + average) + 2 ** -53 * Math.abs(mean)) + 7 * TINY;
  const meanError = h + U * Math.abs(mean);
  const squares = (count + 5) * U * (variance + 2 * average * largest + 3 * largest ** 2);
  return normalizer(mean, variance, meanError, squares + meanError ** 2 + U * variance + 8 * TINY, epsilon);
}

/**
 * The same where nodes of the file compute the mean and the variance, so that what they err by is the model's and not the
 * runtime's. With X and Q the averages of |x| and x^2, n roundings in a sum, 2 in the product with 1 / n and 1 for the
 * terms of second order:
 *
 *     dm = (n + 2) u X + 7 t
 *     dv = (n + 5) u (variance + dm^2) + dm^2 + 8 t                   from differences: 2 more in each square
 *     dv = (n + 5) u Q + 2 |mean| dm + dm^2 + 2 u mean^2 + 8 t        from squares: that of x less that of the mean
 */
export function spelledNormalizer(
  { mean, variance, count }: { readonly mean: number; readonly variance: number; readonly count: number },
  magnitude: number,
  method: VarianceMethod,
  epsilon: number,
): Normalizer {
  const dm = (count + 2) * U * magnitude + 7 * TINY;
  const square = variance + mean ** 2;
  const dv =
    method === "differences"
      ? (count + 5) * U * (variance + dm ** 2) + dm ** 2
      : (count + 5) * U * square + 2 * Math.abs(mean) * dm + dm ** 2 + 2 * U * mean ** 2;
  return normalizer(mean, variance, dm, dv + 8 * TINY, epsilon);
}

function normalizer(mean: number, variance: number, meanError: number, varianceError: number, epsilon: number): Normalizer {
  const least = Math.max(variance - varianceError, 0) + epsilon;
  const inverseDeviationError = variance === Number.POSITIVE_INFINITY ? 0 : Math.sqrt((variance + epsilon) / least) - 1;
  return { mean, inverseDeviation: 1 / Math.sqrt(variance + epsilon), meanError, inverseDeviationError };
}

/**
 * How far y may be from the formula in exact arithmetic (clause 12.2):
 *
 *     K u ( |gamma r x| (1 + rho) + |gamma r mean| (1 + rho) + |beta| )
 *       + |gamma| r (1 + rho) dm + |gamma (x - mean)| r rho
 *       + t ( (1 + r) (|x| + |mean|) + |gamma| (1 + 3 r) + 5 )
 */
export function outputBound(
  x: number,
  { mean, inverseDeviation: r, meanError: dm, inverseDeviationError: rho }: Normalizer,
  gamma: number,
  beta: number,
): number {
  const scale = Math.abs(gamma);
  const size = Math.abs(x) + Math.abs(mean);
  const rounding = ROUNDINGS * U * (scale * r * size * (1 + rho) + Math.abs(beta));
  const statistics = scale * r * (1 + rho) * dm + scale * Math.abs(x - mean) * r * rho;
  return rounding + statistics + TINY * ((1 + r) * size + scale * (1 + 3 * r) + 5);
}

/**
 * The same for y = k x + l as some nodes compute it from constants of the file: `terms` is the sum of the magnitudes of its terms. At most four
 * nodes, each of one rounding, are within K = 10.
 */
export function stepsBound(terms: number, gain: number, isHalf: boolean): number {
  const [u, tiny] = isHalf ? [HALF_U, HALF_TINY] : [U, TINY];
  return ROUNDINGS * u * terms + tiny * (1 + Math.abs(gain)) * 5;
}

/**
 * The bound of a float16 result that is computed in float32 and rounded once (clause 13.3): the rounding of something as
 * large as value and bound together, 2^-11 of it, or half a step of the subnormal ones. And x as it is seen is rounded, too,
 * which the one that the layer reads is not: that is half a step of x, times the gain.
 *
 * Seen in the models that onnxruntime-node 1.30 saves after optimizing, at every level: it has no kernels for float16 here,
 * puts a Cast to float32 before each node and one to float16 behind it, and takes out every pair that follows, the
 * file's own Casts as well. So float32 flows from node to node, and an output is a rounded copy of it. Where x is beyond
 * float16 the copy is infinite, and nothing is known of what the layer read.
 */
export function roundedToHalf(value: number, bound: number, x: number, gain: number): number {
  const all = bound + halfStep(x) * Math.abs(gain);
  return all + halfStep(Math.abs(value) + all);
}

function halfStep(value: number): number {
  return HALF_U * Math.abs(value) + 2 ** -25;
}

/** The average |x| of each channel. */
export function magnitudesOf(x: ArrayLike<number>, view: ChannelView): readonly number[] {
  return deviationsOf(x, view, new Float64Array(view.channels)).map(({ average }) => average);
}

/** The largest and the average |x - mean| of each channel. */
export function deviationsOf(
  x: ArrayLike<number>,
  { outer, channels, inner }: ChannelView,
  mean: ArrayLike<number>,
): readonly { readonly largest: number; readonly average: number }[] {
  const largest = new Float64Array(channels);
  const sum = new Float64Array(channels);
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < inner; i++, k++) {
        const deviation = Math.abs(x[k] - mean[c]);
        if (deviation > largest[c]) largest[c] = deviation;
        sum[c] += deviation;
      }
    }
  }
  return Array.from(largest, (most, c) => ({ largest: most, average: sum[c] / (outer * inner) }));
}
