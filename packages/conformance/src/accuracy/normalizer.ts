import type { ChannelView } from "@batchnorm/spec";
import type { Step } from "../vectors/case.ts";
import { type Accuracy, accumulationRoundoff, sumRoundings, UNIT_ROUNDOFF, underflow } from "./constants.ts";

/** The statistics that normalize one channel, and how far a backend's own may lie from them. */
export interface Normalizer {
  readonly mean: number;
  readonly variance: number;
  /** Bound of the error of the mean. */
  readonly meanError: number;
  readonly varianceError: number;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverseDeviation: number;
  /** Bound of the relative error that `varianceError` puts into `inverseDeviation`. */
  readonly inverseDeviationError: number;
}

/** Statistics `[channels]` in float64, as they should be. */
export interface ExactStatistics {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/** Completes a normalizer: the relative error of 1/sqrt(variance + epsilon), exact rather than of first order. */
export function normalizer(mean: number, variance: number, meanError: number, varianceError: number, epsilon: number): Normalizer {
  const least = Math.max(variance - varianceError, 0) + epsilon;
  return {
    mean,
    variance,
    meanError,
    varianceError,
    inverseDeviation: 1 / Math.sqrt(variance + epsilon),
    // Of an infinite variance the inverse deviation is 0, exactly.
    inverseDeviationError: variance === Number.POSITIVE_INFINITY ? 0 : Math.sqrt((variance + epsilon) / least) - 1,
  };
}

/** The batch's statistics with the error bounds of clause 12.3, per channel. */
export function batchNormalizers(step: Step, view: ChannelView, batch: ExactStatistics, epsilon: number, accuracy: Accuracy): Normalizer[] {
  const n = visibleCount(step, view);
  return deviations(step, view, batch.mean).map((spread, c) => {
    const [mean, variance] = [batch.mean[c], batch.variance[c]];
    const { meanError, varianceError } = statisticsErrors({ n, mean: Math.abs(mean), variance, ...spread }, accuracy);
    return normalizer(mean, variance, meanError, varianceError, epsilon);
  });
}

interface Spread {
  readonly n: number;
  /** |mean| */
  readonly mean: number;
  readonly variance: number;
  /** The largest and the average |x - mean|. */
  readonly largest: number;
  readonly average: number;
}

/**
 * Clause 12.3. The terms of all sums are differences from something within the channel's own data, so that their
 * magnitudes are those of deviations, and an offset of the data costs no more than the roundings of the mean itself.
 * In float32 that something must not be an element that lies far outside, and so the first mean is only a centre,
 * whose distance from the mean a second one finds.
 */
function statisticsErrors(
  { n, mean, variance, largest, average }: Spread,
  accuracy: Accuracy,
): { meanError: number; varianceError: number } {
  const a = accumulationRoundoff(accuracy);
  const t = underflow(accuracy);
  const s = sumRoundings(n, accuracy);
  const first = (s + 2) * (a * (largest + average) + 2 ** -53 * mean) + 7 * t;
  const subtracted = (summed: number): number => (summed + a * mean) ** 2;
  if (accuracy.accumulation === "float64") {
    const squares = (s + 5) * a * (variance + largest * (2 * average + 3 * largest));
    return {
      meanError: first + UNIT_ROUNDOFF * mean,
      varianceError: squares + subtracted(first) + UNIT_ROUNDOFF * variance + 8 * t,
    };
  }
  const centre = first + a * mean;
  const summed = (s + 2) * a * (average + centre) + 7 * t;
  const squares = (s + 5) * a * (variance + centre ** 2) + 2 * centre * summed;
  return {
    meanError: summed + UNIT_ROUNDOFF * mean,
    varianceError: squares + subtracted(summed) + UNIT_ROUNDOFF * variance + 8 * t,
  };
}

/** The largest and the average |x - mean| of the visible elements of each channel. */
function deviations(step: Step, view: ChannelView, mean: ArrayLike<number>): { largest: number; average: number }[] {
  const { x, mask } = step;
  const { outer, channels, inner } = view;
  const found = Array.from({ length: channels }, () => ({ largest: 0, sum: 0, n: 0 }));
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const each = found[c];
      for (let i = 0; i < inner; i++, k++) {
        if (mask !== null && mask[o * inner + i] === 0) continue;
        const deviation = Math.abs(x[k] - mean[c]);
        each.largest = Math.max(each.largest, deviation);
        each.sum += deviation;
        each.n++;
      }
    }
  }
  return found.map(({ largest, sum, n }) => ({ largest, average: sum / n }));
}

/** The n of a step: how many elements of each channel enter the batch statistics. */
export function visibleCount({ mask }: Step, { outer, inner }: ChannelView): number {
  if (mask === null) return outer * inner;
  let n = 0;
  for (let position = 0; position < mask.length; position++) if (mask[position] !== 0) n++;
  return n;
}
