import { type BatchNormConfig, DEFAULT_CONFIG, sizeOf } from "@batchnorm/spec";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Outline } from "../checks/outline.ts";
import { layerTraits } from "../checks/traits.ts";
import { type OracleInput, type OracleOutput, oracle } from "../properties/oracle.ts";
import type { Case, Step } from "../vectors/case.ts";

/**
 * A layer and its steps as data: what is too large, or too many, for a golden vector. The numbers are drawn from a seed when
 * the check runs, and the oracle computes the truth.
 */
export interface Trial {
  /** What tells it from the others of its check. */
  readonly name: string;
  readonly axis: number;
  readonly config?: Partial<BatchNormConfig>;
  readonly steps: readonly TrialStep[];
  /** In place of what is drawn, by channel. */
  readonly gamma?: (c: number) => number;
  readonly beta?: (c: number) => number;
  readonly movingMean?: (c: number) => number;
  readonly movingVariance?: (c: number) => number;
}

/** What one step does, and on which numbers. */
export interface TrialStep {
  readonly shape: readonly number[];
  readonly training: boolean;
  readonly trainable: boolean;
  readonly gradient: boolean;
  /** Which elements of a channel are seen: all, about two thirds, the first alone, none. Default: no mask. */
  readonly mask?: "all" | "some" | "one" | "none";
  /** In place of the drawn number; `k` is its offset and `c` its channel, `last` the greatest offset. */
  readonly x?: Draw;
  readonly dy?: Draw;
}

export type Draw = (drawn: number, k: number, c: number, last: number) => number;

/** What a trial asks of a backend. */
export function outlineOfTrial({ axis, config = {}, steps }: Trial): Outline {
  return {
    axis,
    varianceEstimator: config.varianceEstimator ?? DEFAULT_CONFIG.varianceEstimator,
    steps: steps.map(({ shape, training, trainable, gradient, mask }) => ({
      shape,
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
  const vector = (own: ((c: number) => number) | undefined, drawn: (c: number) => number): Float32Array =>
    Float32Array.from({ length: channels }, (_, c) => (own ?? drawn)(c));
  const state = {
    parameters: {
      gamma: config.scale ? vector(trial.gamma, () => (numbers.upTo(2) ? -1 : 1) * (0.5 + numbers.upTo(24) / 16)) : null,
      beta: config.center ? vector(trial.beta, () => numbers.upTo(64) / 16 - 2) : null,
    },
    statistics: {
      movingMean: vector(trial.movingMean, (c) => offsetOf(c) + spreadOf(c) * (numbers.upTo(17) / 16 - 0.5)),
      movingVariance: vector(trial.movingVariance, (c) => spreadOf(c) ** 2 * (0.25 + numbers.upTo(32) / 16)),
    },
  };
  let moving: Pick<OracleInput, "movingMean" | "movingVariance"> = state.statistics;
  const built = steps.map((step): Step => {
    const { shape, training, trainable } = step;
    const x = numbers.tensor(
      shape,
      axis,
      (c) => offsetOf(c),
      (c) => spreadOf(c) / 16,
      step.x,
    );
    const mask = step.mask === undefined ? null : numbers.mask(sizeOf(shape) / channels, step.mask);
    const dy = step.gradient
      ? numbers.tensor(
          shape,
          axis,
          () => 0.5,
          () => 1 / 16,
          step.dy,
        )
      : null;
    const { batch, ...truth } = inFloat32(
      oracle({ config: { ...config, trainable }, training, shape, x, mask, dy, ...state.parameters, ...moving }),
    );
    moving = truth;
    return { training, trainable, parameters: null, shape, x, mask, dy, truth, batch, results: {} };
  });
  return { id: name, clause, flags: [], reference: null, config, state, steps: built };
}

/** Channels differ in their mean and deviation, so that one taken for another is seen. */
function offsetOf(c: number): number {
  return ((c * 5) % 11) - 5;
}

function spreadOf(c: number): number {
  return 2 ** ((c % 5) - 2);
}

/** What lies beyond the largest float32 is an infinity there, whatever float64 holds. */
function inFloat32(output: OracleOutput): OracleOutput {
  for (const array of [output.y, output.movingMean, output.movingVariance, output.dx, output.dgamma, output.dbeta]) {
    for (let k = 0; k < (array?.length ?? 0); k++) {
      if (Math.abs(array![k]) > LARGEST_FLOAT32) array![k] *= Number.POSITIVE_INFINITY;
    }
  }
  return output;
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** Draws from a seed. Tensors lie on a grid, so that their sums are exact in float64. */
class Numbers {
  readonly #source: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#source = xoroshiro128plus(seed);
  }

  /** A whole number from 0 to `count` - 1. */
  upTo(count: number): number {
    return (this.#source.next() >>> 1) % count;
  }

  /** `[-32, 31]` times the channel's grid, about its centre. */
  tensor(shape: readonly number[], axis: number, centre: (c: number) => number, grid: (c: number) => number, change?: Draw): Float32Array {
    const at = axis < 0 ? axis + shape.length : axis;
    const inner = sizeOf(shape.slice(at + 1));
    const [centres, grids] = [centre, grid].map((of) => Float64Array.from({ length: shape[at] }, (_, c) => of(c)));
    const values = new Float32Array(sizeOf(shape));
    for (let k = 0; k < values.length; k += inner) {
      const c = (k / inner) % shape[at];
      for (let i = k; i < k + inner; i++) {
        const drawn = centres[c] + ((this.#source.next() & 63) - 32) * grids[c];
        values[i] = change === undefined ? drawn : change(drawn, i, c, values.length - 1);
      }
    }
    return values;
  }

  mask(length: number, kind: NonNullable<TrialStep["mask"]>): Uint8Array {
    const bytes = new Uint8Array(length);
    if (kind === "all") bytes.fill(1);
    if (kind === "one") bytes[0] = 1;
    if (kind === "some") for (let position = 0; position < length; position++) bytes[position] = VISIBLE[this.upTo(VISIBLE.length)];
    // Something is seen whatever was drawn.
    if (kind === "some" && length > 0) bytes[length - 1] = 1;
    return bytes;
  }
}

/** Every byte but 0 is true (clause 9.3). */
const VISIBLE = [0, 1, 255, 0, 1, 2];
