import type { BatchNormConfig } from "@batchnorm/spec";

/** float64 inputs of the oracle. */
export interface OracleInput {
  readonly config: BatchNormConfig;
  readonly training: boolean;
  readonly shape: readonly number[];
  readonly x: ArrayLike<number>;
  readonly mask: ArrayLike<number> | null;
  readonly dy: ArrayLike<number> | null;
  readonly gamma: ArrayLike<number> | null;
  readonly beta: ArrayLike<number> | null;
  readonly movingMean: ArrayLike<number>;
  readonly movingVariance: ArrayLike<number>;
}

export interface OracleOutput {
  readonly y: Float64Array;
  readonly movingMean: Float64Array;
  readonly movingVariance: Float64Array;
  readonly batch: { readonly mean: Float64Array; readonly variance: Float64Array } | null;
  readonly dx: Float64Array | null;
  readonly dgamma: Float64Array | null;
  readonly dbeta: Float64Array | null;
}

/**
 * Batch normalization in float64, written to be obvious: every channel is taken out as a list of numbers, treated with
 * the textbook's sums, and put back. It shares no code with any backend, nor with the golden vectors.
 */
export function oracle(input: OracleInput): OracleOutput {
  const { config, training, x, dy } = input;
  const channels = input.movingMean.length;
  const columns = columnsOf(input.shape, config.axis, channels);
  const isVisible = (position: number): boolean => input.mask === null || input.mask[position] !== 0;
  const useBatch = training && config.trainable && columns[0].some((_, position) => isVisible(position));
  const output = {
    y: new Float64Array(x.length),
    dx: dy && new Float64Array(x.length),
    movingMean: Float64Array.from(input.movingMean),
    movingVariance: Float64Array.from(input.movingVariance),
    mean: new Float64Array(channels),
    variance: new Float64Array(channels),
    dgamma: new Float64Array(channels),
    dbeta: new Float64Array(channels),
  };
  columns.forEach((at, c) => {
    const visible = at.filter((_, position) => isVisible(position));
    const values = visible.map((k) => x[k]);
    const n = values.length;
    const mean = useBatch ? sum(values) / n : input.movingMean[c];
    const variance = useBatch ? sum(values.map((value) => (value - mean) ** 2)) / n : input.movingVariance[c];
    const deviation = Math.sqrt(variance + config.epsilon);
    const gamma = input.gamma?.[c] ?? 1;
    const beta = input.beta?.[c] ?? 0;
    const xHat = at.map((k) => (x[k] - mean) / deviation);
    at.forEach((k, j) => {
      output.y[k] = gamma * xHat[j] + beta;
    });
    output.mean[c] = mean;
    output.variance[c] = variance;
    if (useBatch) {
      const entering = config.varianceEstimator === "sample" && n > 1 ? (variance * n) / (n - 1) : variance;
      output.movingMean[c] = config.momentum * input.movingMean[c] + (1 - config.momentum) * mean;
      output.movingVariance[c] = config.momentum * input.movingVariance[c] + (1 - config.momentum) * entering;
    }
    if (dy === null || output.dx === null) return;
    const upstream = at.map((k) => dy[k]);
    const total = sum(upstream);
    const projection = sum(upstream.map((each, j) => each * xHat[j]));
    output.dbeta[c] = total;
    output.dgamma[c] = projection;
    const entered = new Set(useBatch ? visible : []);
    for (const [j, k] of at.entries()) {
      const through = entered.has(k) ? total / n + (xHat[j] * projection) / n : 0;
      output.dx[k] = (gamma / deviation) * (upstream[j] - through);
    }
  });
  const learns = dy !== null && config.trainable;
  return {
    y: output.y,
    movingMean: output.movingMean,
    movingVariance: output.movingVariance,
    batch: useBatch ? { mean: output.mean, variance: output.variance } : null,
    dx: output.dx,
    dgamma: learns && config.scale ? output.dgamma : null,
    dbeta: learns && config.center ? output.dbeta : null,
  };
}

/** The flat offsets of the elements of each channel, in order; the j-th of every channel shares its place in the mask. */
function columnsOf(shape: readonly number[], axis: number, channels: number): number[][] {
  const columns = Array.from({ length: channels }, (): number[] => []);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const wanted = axis < 0 ? axis + shape.length : axis;
  for (let k = 0; k < size; k++) {
    let rest = k;
    let channel = 0;
    for (let a = shape.length - 1; a >= 0; a--) {
      if (a === wanted) channel = rest % shape[a];
      rest = Math.floor(rest / shape[a]);
    }
    columns[channel].push(k);
  }
  return columns;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
