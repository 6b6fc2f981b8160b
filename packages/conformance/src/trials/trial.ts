import { type BatchNormConfig, DEFAULT_CONFIG, sizeOf } from "@batchnorm/spec";
import type { Outline } from "../checks/outline.ts";
import { layerTraits } from "../checks/traits.ts";
import type { Case, Step } from "../vectors/case.ts";
import { type HalfDType, nearest } from "../vectors/half.ts";
import { type Draw, type MaskKind, Numbers, type OwnState } from "./numbers.ts";
import { type Moving, stepWithTruth } from "./truth.ts";

/**
 * A layer and its steps as data: what is too large, or too many, for a golden vector. The numbers are drawn from a seed when
 * the check runs, and the oracle computes the truth.
 */
export interface Trial extends OwnState {
  /** What tells it from the others of its check. */
  readonly name: string;
  readonly axis: number;
  readonly config?: Partial<BatchNormConfig>;
  readonly steps: readonly TrialStep[];
}

/** What one step does, and on which numbers. */
export interface TrialStep {
  readonly shape: readonly number[];
  /** Left out, it is float32. What is drawn is rounded to it. */
  readonly dtype?: HalfDType | undefined;
  readonly training: boolean;
  readonly trainable: boolean;
  readonly gradient: boolean;
  /** Default: no mask. */
  readonly mask?: MaskKind;
  /** In place of the drawn number; `k` is its offset and `c` its channel, `last` the greatest offset. */
  readonly x?: Draw;
  readonly dy?: Draw;
}

/** What a trial asks of a backend. */
export function outlineOfTrial({ axis, config = {}, steps }: Trial): Outline {
  return {
    axis,
    varianceEstimator: config.varianceEstimator ?? DEFAULT_CONFIG.varianceEstimator,
    steps: steps.map(({ shape, dtype, training, trainable, gradient, mask }) => ({
      shape,
      dtype,
      batch: training && trainable && mask !== "none",
      gradient,
      masked: mask !== undefined,
      finite: true,
    })),
  };
}

/** What a trial has in common with others. */
export function trialTraits({ axis, config = {}, steps }: Trial): string[] {
  return layerTraits({ config: { ...config, axis }, steps: steps.map((step) => ({ ...step, masked: step.mask !== undefined })) });
}

/** The case of a trial: the same seed gives the same numbers. */
export function buildTrial(trial: Trial, clause: string, seed: number): Case {
  const { name, axis, steps } = trial;
  const config: BatchNormConfig = { ...DEFAULT_CONFIG, ...trial.config, axis };
  const numbers = new Numbers(seed);
  const channels = steps[0].shape.at(axis)!;
  const state = numbers.state(config, channels, trial);
  let moving: Moving = state.statistics;
  const built = steps.map((step): Step => {
    const { shape, dtype, training, trainable } = step;
    const rounded = (values: Float32Array): Float32Array => (dtype === undefined ? values : values.map((each) => nearest(each, dtype)));
    const x = rounded(numbers.x(shape, axis, step.x));
    const mask = step.mask === undefined ? null : numbers.mask(sizeOf(shape) / channels, step.mask);
    const dy = step.gradient ? rounded(numbers.dy(shape, axis, step.dy)) : null;
    const done = stepWithTruth(config, state.parameters, moving, { training, trainable, shape, dtype, x, mask, dy });
    moving = done.truth;
    return done;
  });
  return { id: name, clause, flags: [], reference: null, config, state, steps: built };
}
