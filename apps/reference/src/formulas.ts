import type { BatchNormConfig, BatchNormState, ChannelView, Statistics, VarianceEstimator } from "@batchnorm/spec";

/** One channel of a batch: the offsets of its elements, their numbers, and which of them the mask lets through. */
export interface Channel {
  readonly at: readonly number[];
  readonly values: readonly number[];
  readonly visible: readonly boolean[];
}

/** What else is known where an element is normalized. */
export interface Place {
  readonly visible: boolean;
  readonly config: BatchNormConfig;
}

/** Every step of the arithmetic that a mutant can get wrong. `layer` stands for the layer: its state, and no other's. */
export interface Formulas {
  channelOf(k: number, view: ChannelView, axis: number): number;
  sees(mask: number): boolean;
  moments(channel: Channel, c: number, all: readonly Channel[], moving: Statistics): { mean: number; variance: number };
  inverseDeviation(variance: number, epsilon: number): number;
  gamma(current: Float32Array, layer: BatchNormState): Float32Array;
  /** The moving statistics that normalize. */
  statistics(current: Statistics, layer: BatchNormState): Statistics;
  output(x: number, mean: number, inverseDeviation: number, gamma: number, beta: number, at: Place): number;
  move(old: number, fresh: number, momentum: number, layer: BatchNormState): number;
  entering(variance: number, n: number, estimator: VarianceEstimator): number;
  onAllHidden(statistics: Statistics, momentum: number): void;
  movesInInference(trainable: boolean): boolean;
  readonly frozenUsesBatch: boolean;
  readonly trainsWithMoving: boolean;
  sums(
    dy: readonly number[],
    x: readonly number[],
    mean: number,
    inverseDeviation: number,
    gamma: number,
  ): { dgamma: number; dbeta: number };
  /** What the batch statistics take out of dy; n is null where the moving ones normalized. */
  through(sums: { dgamma: number; dbeta: number }, xHat: number, n: number | null, visible: boolean, all: number): number;
  learns(mode: boolean): boolean;
  has(parameter: Float32Array | null): boolean;
}

/** The formulas as the spec has them. */
export const CORRECT: Formulas = {
  channelOf: (k, { channels, inner }) => Math.floor(k / inner) % channels,
  sees: (mask) => mask !== 0,
  moments: (channel) => populationMoments(visibleValues(channel)),
  inverseDeviation: (variance, epsilon) => 1 / Math.sqrt(variance + epsilon),
  gamma: (current) => current,
  statistics: (current) => current,
  output: (x, mean, inverseDeviation, gamma, beta) => gamma * (x - mean) * inverseDeviation + beta,
  move: (old, fresh, momentum) => old * momentum + fresh * (1 - momentum),
  entering: (variance, n, estimator) => (estimator === "sample" && n > 1 ? variance * (n / (n - 1)) : variance),
  onAllHidden: () => {},
  movesInInference: () => false,
  frozenUsesBatch: false,
  trainsWithMoving: false,
  sums: (dy, x, mean, inverseDeviation) => ({
    dgamma: dy.reduce((total, each, j) => total + each * (x[j] - mean) * inverseDeviation, 0),
    dbeta: dy.reduce((total, each) => total + each, 0),
  }),
  through: ({ dgamma, dbeta }, xHat, n, visible) => (n === null || !visible ? 0 : (dbeta + xHat * dgamma) / n),
  learns: (mode) => mode,
  has: (parameter) => parameter !== null,
};

/** The values of a channel that the mask lets through. */
export function visibleValues({ values, visible }: Channel): number[] {
  return values.filter((_, j) => visible[j]);
}

/** Mean and population variance in two passes. */
export function populationMoments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) * (value - mean), 0) / values.length;
  return { mean, variance };
}
