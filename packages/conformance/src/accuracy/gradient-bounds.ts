import type { ChannelView } from "@batchnorm/spec";
import type { Step } from "../vectors/case.ts";
import { type Accuracy, accumulationRoundoff, ROUNDINGS, sumRoundings, THROUGH_ROUNDINGS, UNIT_ROUNDOFF, underflow } from "./constants.ts";
import { type Normalizer, visibleCount } from "./normalizer.ts";

/** gamma and beta at one step; null is 1 and 0. */
export interface StepParameters {
  readonly gamma: ArrayLike<number> | null;
  readonly beta: ArrayLike<number> | null;
}

/** The two sums of one channel that a gradient is made of, and the bounds of their errors. */
interface Sums {
  dbeta: number;
  dgamma: number;
  dbetaError: number;
  dgammaError: number;
}

/**
 * Clause 12.5. With S1 = sum(dy), S2 = sum(dy xHat), N the number of elements of a channel, w = 1 where an element
 * entered the batch statistics, and t for the cost of underflow:
 *
 *     S1:  (s + 1) a sum|dy| + (2 N + 1) t                                    a the roundoff of the accumulator, s the roundings of a sum
 *     S2:  sum(|dy| e) + (s + 2) a sum|dy xHat| + (2 N + 1 + sum|xHat|) t     e the error of xHat
 *     e:   (1 + rho) r (K u (|x| + |mean|) + dm + 3 t) + |xHat| rho + t
 *     dx:  |gamma| r [ rho (|dy| + w T) + (1 + rho) (K u |dy| + 14 u w T + w (dS1 + |xHat| dS2 + e |S2|) / n) ]
 *              + t ((1 + r) (|dy| + w T) + |gamma| (1 + 5 r) + 1)             T = (|S1| + |xHat S2|) / n
 *
 * and one rounding of S1 and S2 to float32 where they are given out.
 */
export function gradientBounds(
  step: Step,
  view: ChannelView,
  normalizers: readonly Normalizer[],
  { gamma }: StepParameters,
  accuracy: Accuracy,
): Readonly<Record<"dx" | "dgamma" | "dbeta", Float64Array | null>> {
  const { dy, x, mask, truth } = step;
  if (dy === null) return { dx: null, dgamma: null, dbeta: null };
  const tiny = underflow(accuracy);
  const xHat = (k: number, { mean, inverseDeviation }: Normalizer): number => Math.abs(x[k] - mean) * inverseDeviation;
  const xHatError = (k: number, { mean, inverseDeviation, meanError, inverseDeviationError }: Normalizer, value: number): number => {
    const widest = inverseDeviation * (1 + inverseDeviationError);
    const rounding = ROUNDINGS * UNIT_ROUNDOFF * (Math.abs(x[k]) + Math.abs(mean)) * widest;
    return rounding + widest * (meanError + 3 * tiny) + value * inverseDeviationError + tiny;
  };
  const sums = normalizers.map((): Sums & { magnitude: number; projection: number; normalized: number } => ({
    dbeta: 0,
    dgamma: 0,
    dbetaError: 0,
    dgammaError: 0,
    magnitude: 0,
    projection: 0,
    normalized: 0,
  }));
  const { outer, channels, inner } = view;
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const at = normalizers[c];
      const sum = sums[c];
      for (let i = 0; i < inner; i++, k++) {
        const value = xHat(k, at);
        sum.dbeta += dy[k];
        sum.dgamma += dy[k] * (x[k] - at.mean) * at.inverseDeviation;
        sum.magnitude += Math.abs(dy[k]);
        sum.projection += Math.abs(dy[k]) * value;
        sum.normalized += value;
        sum.dgammaError += Math.abs(dy[k]) * xHatError(k, at, value);
      }
    }
  }
  const elements = outer * inner;
  const roundoff = accumulationRoundoff(accuracy);
  const roundings = sumRoundings(elements, accuracy);
  for (const sum of sums) {
    sum.dbetaError = (roundings + 1) * roundoff * sum.magnitude + (2 * elements + 1) * tiny;
    sum.dgammaError += (roundings + 2) * roundoff * sum.projection + (2 * elements + 1 + sum.normalized) * tiny;
  }
  const n = visibleCount(step, view);
  const dx = new Float64Array(dy.length);
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const at = normalizers[c];
      const sum = sums[c];
      const scale = Math.abs(gamma === null ? 1 : gamma[c]);
      const { inverseDeviation: r, inverseDeviationError: rho } = at;
      for (let i = 0; i < inner; i++, k++) {
        const entered = step.batch !== null && (mask === null || mask[o * inner + i] !== 0);
        const value = xHat(k, at);
        const direct = Math.abs(dy[k]);
        const through = entered ? (Math.abs(sum.dbeta) + value * Math.abs(sum.dgamma)) / n : 0;
        const carried = entered ? (sum.dbetaError + value * sum.dgammaError + xHatError(k, at, value) * Math.abs(sum.dgamma)) / n : 0;
        const rounding = UNIT_ROUNDOFF * (ROUNDINGS * direct + THROUGH_ROUNDINGS * through);
        dx[k] =
          scale * r * (rho * (direct + through) + (1 + rho) * (rounding + carried)) +
          tiny * ((1 + r) * (direct + through) + scale * (1 + 5 * r) + 1);
      }
    }
  }
  const rounded = (error: keyof Sums, value: keyof Sums): Float64Array =>
    Float64Array.from(sums, (sum) => sum[error] + UNIT_ROUNDOFF * Math.abs(sum[value]));
  return {
    dx,
    dgamma: truth.dgamma && rounded("dgammaError", "dgamma"),
    dbeta: truth.dbeta && rounded("dbetaError", "dbeta"),
  };
}
