import type { ChannelView } from "@batchnorm/spec";
import type { Step } from "../vectors/case.ts";
import type { Bounds, StepParameters } from "./bounds.ts";
import { type Accuracy, accumulationRoundoff, ROUNDINGS, sumRoundings, THROUGH_ROUNDINGS, UNIT_ROUNDOFF, underflow } from "./constants.ts";
import { locate, type Normalizer, visibleCount } from "./normalizer.ts";

/** The two sums of one channel that a gradient is made of, and the bounds of their errors. */
interface Sums {
  dbeta: number;
  dgamma: number;
  dbetaError: number;
  dgammaError: number;
}

/**
 * Clause 12.5. With S1 = sum(dy), S2 = sum(dy xHat), N the number of elements of a channel, w = 1 where an element entered the
 * batch statistics, and t for the cost of underflow:
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
): Pick<Bounds, "dx" | "dgamma" | "dbeta"> {
  const { dy, x, mask, truth } = step;
  if (dy === null) return { dx: null, dgamma: null, dbeta: null };
  const tiny = underflow(accuracy);
  const xHat = (k: number, { mean, inverseDeviation, meanError, inverseDeviationError }: Normalizer): { value: number; error: number } => {
    const value = Math.abs(x[k] - mean) * inverseDeviation;
    const widest = inverseDeviation * (1 + inverseDeviationError);
    const rounding = ROUNDINGS * UNIT_ROUNDOFF * (Math.abs(x[k]) + Math.abs(mean)) * widest;
    return { value, error: rounding + widest * (meanError + 3 * tiny) + value * inverseDeviationError + tiny };
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
  for (let k = 0; k < x.length; k++) {
    const { channel } = locate(view, k);
    const at = normalizers[channel];
    const sum = sums[channel];
    const { value, error } = xHat(k, at);
    sum.dbeta += dy[k];
    sum.dgamma += dy[k] * (x[k] - at.mean) * at.inverseDeviation;
    sum.magnitude += Math.abs(dy[k]);
    sum.projection += Math.abs(dy[k]) * value;
    sum.normalized += value;
    sum.dgammaError += Math.abs(dy[k]) * error;
  }
  const elements = view.outer * view.inner;
  const roundoff = accumulationRoundoff(accuracy);
  const roundings = sumRoundings(elements, accuracy);
  for (const sum of sums) {
    sum.dbetaError = (roundings + 1) * roundoff * sum.magnitude + (2 * elements + 1) * tiny;
    sum.dgammaError += (roundings + 2) * roundoff * sum.projection + (2 * elements + 1 + sum.normalized) * tiny;
  }
  const n = visibleCount(step, view);
  const dx = Float64Array.from(dy, (value, k) => {
    const { channel, position } = locate(view, k);
    const at = normalizers[channel];
    const scale = Math.abs(gamma === null ? 1 : gamma[channel]);
    const r = at.inverseDeviation;
    const rho = at.inverseDeviationError;
    const sum = sums[channel];
    const entered = step.batch !== null && (mask === null || mask[position] !== 0);
    const hat = xHat(k, at);
    const direct = Math.abs(value);
    const through = entered ? (Math.abs(sum.dbeta) + hat.value * Math.abs(sum.dgamma)) / n : 0;
    const carried = entered ? (sum.dbetaError + hat.value * sum.dgammaError + hat.error * Math.abs(sum.dgamma)) / n : 0;
    const rounding = UNIT_ROUNDOFF * (ROUNDINGS * direct + THROUGH_ROUNDINGS * through);
    return (
      scale * r * (rho * (direct + through) + (1 + rho) * (rounding + carried)) +
      tiny * ((1 + r) * (direct + through) + scale * (1 + 5 * r) + 1)
    );
  });
  const rounded = (error: keyof Sums, value: keyof Sums): Float64Array =>
    Float64Array.from(sums, (sum) => sum[error] + UNIT_ROUNDOFF * Math.abs(sum[value]));
  return {
    dx,
    dgamma: truth.dgamma && rounded("dgammaError", "dgamma"),
    dbeta: truth.dbeta && rounded("dbetaError", "dbeta"),
  };
}
