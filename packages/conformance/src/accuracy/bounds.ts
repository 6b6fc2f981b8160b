import { type BatchNormConfig, type ChannelView, channelView } from "@batchnorm/spec";
import type { Case, Step } from "../vectors/case.ts";
import type { OutputName } from "../vectors/format.ts";
import { type Accuracy, AVERAGE_ROUNDINGS, ROUNDINGS, UNIT_ROUNDOFF, underflow } from "./constants.ts";
import { gradientBounds, type StepParameters } from "./gradient-bounds.ts";
import { withLastRounding } from "./last-rounding.ts";
import { batchNormalizers, type Normalizer, normalizer, visibleCount } from "./normalizer.ts";

/**
 * For every output of a step, how far from the truth each of its elements may lie; null where the step has no such
 * output.
 */
export type Bounds = Readonly<Record<OutputName, Float64Array | null>>;

/**
 * The bounds of every step of a case (docs/spec.md, section 12). The errors of moving statistics carry over from step
 * to step.
 */
export function caseBounds({ config, state, steps }: Case, accuracy: Accuracy): Bounds[] {
  let moving = exact(state.statistics.movingMean, state.statistics.movingVariance);
  let parameters: StepParameters = state.parameters;
  return steps.map((step) => {
    parameters = {
      gamma: step.parameters?.gamma ?? parameters.gamma,
      beta: step.parameters?.beta ?? parameters.beta,
    };
    const view = channelView(step.shape, config.axis);
    const normalizers =
      step.batch === null
        ? moving.map((each) =>
            normalizer(each.mean, each.variance, each.meanError, each.varianceError + underflow(accuracy), config.epsilon),
          )
        : batchNormalizers(step, view, step.batch, config.epsilon, accuracy);
    if (step.batch !== null) moving = advance(moving, normalizers, step, view, config, accuracy);
    const { dx, dgamma, dbeta } = gradientBounds(step, view, normalizers, parameters, accuracy);
    return {
      y: withLastRounding(outputBounds(step, view, normalizers, parameters, accuracy), step.truth.y!, step.dtype, accuracy),
      movingMean: Float64Array.from(moving, (each) => each.meanError),
      movingVariance: Float64Array.from(moving, (each) => each.varianceError),
      dx: dx && withLastRounding(dx, step.truth.dx!, step.dtype, accuracy),
      dgamma,
      dbeta,
    };
  });
}

/**
 * Clause 12.2, and 12.3 where the statistics have an error of their own:
 *
 *     K u (|gamma r x| + |gamma r mean| + |beta|) + |gamma| r (1 + rho) meanError + |gamma (x - mean)| r rho
 *
 * with r = 1 / sqrt(variance + epsilon) and rho its relative error; the last line is what underflow may cost.
 */
function outputBounds(
  step: Step,
  view: ChannelView,
  normalizers: readonly Normalizer[],
  { gamma, beta }: StepParameters,
  accuracy: Accuracy,
): Float64Array {
  return eachElement(step.x, view, (x, c) => {
    const { mean, meanError, inverseDeviation: r, inverseDeviationError: rho } = normalizers[c];
    const scale = Math.abs(gamma === null ? 1 : gamma[c]);
    const shift = Math.abs(beta === null ? 0 : beta[c]);
    const rounding = ROUNDINGS * UNIT_ROUNDOFF * (scale * r * (Math.abs(x) + Math.abs(mean)) * (1 + rho) + shift);
    const statistics = scale * r * (1 + rho) * meanError + scale * Math.abs(x - mean) * r * rho;
    return rounding + statistics + underflow(accuracy) * ((1 + r) * (Math.abs(x) + Math.abs(mean)) + scale * (1 + 3 * r) + 5);
  });
}

/** One moving statistic of one channel: its exact value and the bound of a backend's error in it. */
interface Moving {
  readonly mean: number;
  readonly variance: number;
  readonly meanError: number;
  readonly varianceError: number;
}

function exact(mean: ArrayLike<number>, variance: ArrayLike<number>): Moving[] {
  return Array.from(mean, (each, c) => ({ mean: each, variance: variance[c], meanError: 0, varianceError: 0 }));
}

/** Clause 12.4: one step of the moving average shrinks the error that was there and adds its own. */
function advance(
  moving: readonly Moving[],
  batch: readonly Normalizer[],
  step: Step,
  view: ChannelView,
  config: BatchNormConfig,
  accuracy: Accuracy,
): Moving[] {
  const { momentum } = config;
  const tiny = underflow(accuracy);
  const n = visibleCount(step, view);
  const sample = config.varianceEstimator === "sample";
  const correction = sample ? n / Math.max(n - 1, 1) : 1;
  const held = Math.abs(Math.fround(momentum) - momentum);
  const error = (old: number, oldError: number, fresh: number, freshError: number): number =>
    momentum * oldError +
    (1 - momentum) * freshError +
    AVERAGE_ROUNDINGS * UNIT_ROUNDOFF * (momentum * Math.abs(old) + (1 - momentum) * Math.abs(fresh)) +
    (held + tiny) * (Math.abs(old) + Math.abs(fresh)) +
    5 * tiny;
  return moving.map((old, c) => {
    const fresh = batch[c];
    const variance = fresh.variance * correction;
    // The factor n / (n - 1) and the product with it are two roundings more.
    const varianceError = fresh.varianceError * correction + (sample ? 2 * UNIT_ROUNDOFF * variance : 0);
    return {
      mean: momentum * old.mean + (1 - momentum) * fresh.mean,
      variance: momentum * old.variance + (1 - momentum) * variance,
      meanError: error(old.mean, old.meanError, fresh.mean, fresh.meanError),
      varianceError: error(old.variance, old.varianceError, variance, varianceError),
    };
  });
}

/** `bound(x, channel)` for every element of x. */
export function eachElement(
  x: Float32Array,
  { outer, channels, inner }: ChannelView,
  bound: (x: number, channel: number, k: number) => number,
): Float64Array {
  // Loops, here and in the sums: a million elements take a tenth of what they take with `from`, `map` or an object
  // each.
  const bounds = new Float64Array(x.length);
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) for (let i = 0; i < inner; i++, k++) bounds[k] = bound(x[k], c, k);
  }
  return bounds;
}
