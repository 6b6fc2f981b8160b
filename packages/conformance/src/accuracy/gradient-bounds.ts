import type { ChannelView } from "@batchnorm/spec";
import type { Step } from "../vectors/case.ts";
import type { Bounds, StepParameters } from "./bounds.ts";
import { type Accuracy, accumulationRoundoff, ROUNDINGS, UNIT_ROUNDOFF, underflow } from "./constants.ts";
import { locate, type Normalizer, visibleCount } from "./normalizer.ts";

/** The two sums of one channel that a gradient is made of, and the bounds of their errors. */
interface Sums {
  dbeta: number;
  dgamma: number;
  dbetaError: number;
  dgammaError: number;
}

/**
 * Clause 12.5. With S1 = sum(dy), S2 = sum(dy xHat), N the number of elements of a channel and w = 1 where an element entered the
 * batch statistics:
 *
 *     S1:  (N + 1) a sum|dy|                                                a the roundoff of the accumulator
 *     S2:  sum(|dy| e) + (N + 2) a sum|dy xHat|                             e the error of xHat
 *     e:   K u (|x| + |mean|) r + r meanError + |xHat| rho
 *     dx:  |gamma| r [ (K u + rho) (|dy| + w (|S1| + |xHat S2|) / n) + w (dS1 + |xHat| dS2 + e |S2|) / n ]
 *
 * and one rounding of each result to float32.
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
    const rounding = ROUNDINGS * UNIT_ROUNDOFF * (Math.abs(x[k]) + Math.abs(mean)) * inverseDeviation;
    return { value, error: rounding + inverseDeviation * (meanError + 2 * tiny) + value * inverseDeviationError + tiny };
  };
  const sums = normalizers.map((): Sums & { magnitude: number; projection: number } => ({
    dbeta: 0,
    dgamma: 0,
    dbetaError: 0,
    dgammaError: 0,
    magnitude: 0,
    projection: 0,
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
    sum.dgammaError += Math.abs(dy[k]) * error;
  }
  const elements = view.outer * view.inner;
  const roundoff = accumulationRoundoff(accuracy);
  for (const sum of sums) {
    sum.dbetaError = (elements + 1) * roundoff * sum.magnitude + tiny;
    sum.dgammaError += (elements + 2) * roundoff * sum.projection + tiny;
  }
  const n = visibleCount(step, view);
  const dx = Float64Array.from(dy, (value, k) => {
    const { channel, position } = locate(view, k);
    const at = normalizers[channel];
    const slope = Math.abs(gamma === null ? 1 : gamma[channel]) * at.inverseDeviation;
    const relative = ROUNDINGS * UNIT_ROUNDOFF + at.inverseDeviationError;
    const direct = relative * Math.abs(value) + tiny * (slope + Math.abs(value) + 2);
    if (step.batch === null || (mask !== null && mask[position] === 0)) return slope * direct + tiny;
    const sum = sums[channel];
    const hat = xHat(k, at);
    const through = relative * (Math.abs(sum.dbeta) + hat.value * Math.abs(sum.dgamma));
    const carried = sum.dbetaError + hat.value * sum.dgammaError + hat.error * Math.abs(sum.dgamma);
    return slope * (direct + (through + carried) / n) + tiny;
  });
  const rounded = (error: keyof Sums, value: keyof Sums): Float64Array =>
    Float64Array.from(sums, (sum) => sum[error] + UNIT_ROUNDOFF * Math.abs(sum[value]));
  return {
    dx,
    dgamma: truth.dgamma && rounded("dgammaError", "dgamma"),
    dbeta: truth.dbeta && rounded("dbetaError", "dbeta"),
  };
}
