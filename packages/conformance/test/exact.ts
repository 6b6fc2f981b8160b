import { type BatchNormConfig, DEFAULT_CONFIG } from "@batchnorm/spec";
import type { Case, Step } from "../src/vectors/case.ts";

/** A layer and its batches without the truth, which `withTruth` computes. Every batch is `[rows, channels]`, axis -1. */
export interface Layer {
  readonly config?: Partial<BatchNormConfig>;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly movingMean: readonly number[];
  readonly movingVariance: readonly number[];
  readonly batches: readonly Batch[];
}

export interface Batch {
  readonly x: readonly number[];
  readonly mask?: readonly number[];
  readonly dy?: readonly number[];
  readonly training?: boolean;
}

/**
 * A case of these batches. Its truth is float64 with compensated sums: exact to about 2^-52 of the terms of every formula, whatever
 * cancels.
 */
export function withTruth({ config: options = {}, gamma, beta, movingMean, movingVariance, batches }: Layer): Case {
  const config: BatchNormConfig = { ...DEFAULT_CONFIG, ...options, axis: -1 };
  const channels = gamma.length;
  const f32 = (values: readonly number[]): Float32Array => Float32Array.from(values);
  const state = {
    parameters: { gamma: f32(gamma), beta: f32(beta) },
    statistics: { movingMean: f32(movingMean), movingVariance: f32(movingVariance) },
  };
  const moving = Array.from({ length: channels }, (_, c) => ({
    mean: state.statistics.movingMean[c],
    variance: state.statistics.movingVariance[c],
  }));
  const steps = batches.map((batch): Step => {
    const x = f32(batch.x);
    const dy = batch.dy ? f32(batch.dy) : null;
    const mask = batch.mask ? Uint8Array.from(batch.mask) : null;
    const training = batch.training ?? true;
    const useBatch = training && (mask === null || mask.includes(1));
    const truth = {
      y: new Float64Array(x.length),
      dx: new Float64Array(x.length),
      dgamma: new Float64Array(channels),
      dbeta: new Float64Array(channels),
    };
    const found = { mean: new Float64Array(channels), variance: new Float64Array(channels) };
    for (let c = 0; c < channels; c++) {
      const rows = Array.from({ length: x.length / channels }, (_, row) => row);
      const seen = rows.filter((row) => mask === null || mask[row] === 1).map((row) => x[row * channels + c]);
      const { mean, variance } = useBatch ? momentsOf(seen) : moving[c];
      const n = seen.length;
      found.mean[c] = mean;
      found.variance[c] = variance;
      const root = Math.sqrt(variance + config.epsilon);
      const g = state.parameters.gamma[c];
      const upstream = rows.map((row) => dy?.[row * channels + c] ?? 0);
      const xHat = rows.map((row) => (x[row * channels + c] - mean) / root);
      const total = exactSum(upstream);
      const projection = exactSum(upstream.map((value, row) => value * xHat[row]));
      truth.dbeta[c] = total;
      truth.dgamma[c] = projection;
      for (const row of rows) {
        const entered = useBatch && (mask === null || mask[row] === 1);
        truth.y[row * channels + c] = g * xHat[row] + state.parameters.beta[c];
        truth.dx[row * channels + c] =
          (g / root) * exactSum(entered ? [upstream[row], -total / n, (-xHat[row] * projection) / n] : [upstream[row]]);
      }
      if (!useBatch) continue;
      const entering = config.varianceEstimator === "sample" ? (variance * n) / Math.max(n - 1, 1) : variance;
      moving[c] = {
        mean: moving[c].mean * config.momentum + mean * (1 - config.momentum),
        variance: moving[c].variance * config.momentum + entering * (1 - config.momentum),
      };
    }
    const only = (values: Float64Array): Float64Array | null => (dy === null ? null : values);
    return {
      training,
      trainable: true,
      parameters: null,
      shape: [x.length / channels, channels],
      x,
      mask,
      dy,
      truth: {
        y: truth.y,
        movingMean: Float64Array.from(moving, ({ mean }) => mean),
        movingVariance: Float64Array.from(moving, ({ variance }) => variance),
        dx: only(truth.dx),
        dgamma: only(truth.dgamma),
        dbeta: only(truth.dbeta),
      },
      batch: useBatch ? found : null,
      results: {},
    };
  });
  return { id: "test/case", clause: "12.2", flags: [], reference: null, config, state, steps };
}

function momentsOf(values: readonly number[]): { mean: number; variance: number } {
  const [shift] = values;
  const beyond = exactSum(values.map((value) => value - shift)) / values.length;
  const mean = shift + beyond;
  return { mean, variance: exactSum(values.map((value) => (value - shift - beyond) ** 2)) / values.length };
}

/** Neumaier's sum: the error is that of one rounding, plus n squared roundings of second order. */
function exactSum(values: readonly number[]): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}
