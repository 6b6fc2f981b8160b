import type { BatchNormConfig } from "@batchnorm/spec";

/** float64 inputs of the oracle. */
export interface OracleInput {
  readonly config: BatchNormConfig;
  readonly training: boolean;
  readonly shape: readonly number[];
  readonly x: Float32Array;
  readonly mask: Uint8Array | null;
  readonly dy: Float32Array | null;
  readonly gamma: Float32Array | null;
  readonly beta: Float32Array | null;
  readonly movingMean: Float32Array | Float64Array;
  readonly movingVariance: Float32Array | Float64Array;
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
 * Batch normalization in float64, written to be obvious: every channel is taken out as a list of numbers, treated with the
 * textbook's sums, and put back. It shares no code with any backend, nor with the golden vectors.
 */
export function oracle(input: OracleInput): OracleOutput {
  const { config, training, shape, x, mask, dy } = input;
  const axis = config.axis < 0 ? config.axis + shape.length : config.axis;
  const [rows, channels, columns] = [product(shape.slice(0, axis)), shape[axis], product(shape.slice(axis + 1))];
  const all = rows * columns;
  let n = 0;
  for (let j = 0; j < all; j++) if (mask === null || mask[j] !== 0) n++;
  const useBatch = training && config.trainable && n > 0;
  const y = new Float64Array(x.length);
  const dx = dy && new Float64Array(x.length);
  const movingMean = Float64Array.from(input.movingMean);
  const movingVariance = Float64Array.from(input.movingVariance);
  const batch = { mean: new Float64Array(channels), variance: new Float64Array(channels) };
  const [dgamma, dbeta] = [new Float64Array(channels), new Float64Array(channels)];
  const [at, values, xHat, terms] = [new Float64Array(all), new Float64Array(all), new Float64Array(all), new Float64Array(all)];
  for (let c = 0; c < channels; c++) {
    // The offsets of this channel's elements, in the order of the mask.
    for (let row = 0, j = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, j++) at[j] = (row * channels + c) * columns + column;
    }
    for (let j = 0; j < all; j++) values[j] = x[at[j]];
    let mean = movingMean[c];
    let variance = movingVariance[c];
    if (useBatch) {
      // A hidden element adds nothing, whatever it is.
      for (let j = 0; j < all; j++) terms[j] = mask === null || mask[j] !== 0 ? values[j] : 0;
      mean = sum(terms) / n;
      for (let j = 0; j < all; j++) terms[j] = mask === null || mask[j] !== 0 ? (values[j] - mean) * (values[j] - mean) : 0;
      variance = sum(terms) / n;
      const entering = config.varianceEstimator === "sample" && n > 1 ? (variance * n) / (n - 1) : variance;
      movingMean[c] = config.momentum * movingMean[c] + (1 - config.momentum) * mean;
      movingVariance[c] = config.momentum * movingVariance[c] + (1 - config.momentum) * entering;
    }
    batch.mean[c] = mean;
    batch.variance[c] = variance;
    const deviation = Math.sqrt(variance + config.epsilon);
    const gamma = input.gamma === null ? 1 : input.gamma[c];
    const beta = input.beta === null ? 0 : input.beta[c];
    for (let j = 0; j < all; j++) xHat[j] = (values[j] - mean) / deviation;
    for (let j = 0; j < all; j++) y[at[j]] = gamma * xHat[j] + beta;
    if (dy === null || dx === null) continue;
    for (let j = 0; j < all; j++) terms[j] = dy[at[j]];
    const total = sum(terms);
    for (let j = 0; j < all; j++) terms[j] = dy[at[j]] * xHat[j];
    const projection = sum(terms);
    dbeta[c] = total;
    dgamma[c] = projection;
    for (let j = 0; j < all; j++) {
      const through = useBatch && (mask === null || mask[j] !== 0) ? (total + xHat[j] * projection) / n : 0;
      dx[at[j]] = (gamma / deviation) * (dy[at[j]] - through);
    }
  }
  const learns = dy !== null && config.trainable;
  return {
    y,
    movingMean,
    movingVariance,
    batch: useBatch ? batch : null,
    dx,
    dgamma: learns && config.scale ? dgamma : null,
    dbeta: learns && config.center ? dbeta : null,
  };
}

function product(dimensions: readonly number[]): number {
  return dimensions.reduce((size, dimension) => size * dimension, 1);
}

/** Neumaier's sum: what the additions round away is summed beside, so that a million terms err no more than one. */
function sum(values: Float64Array): number {
  let total = 0;
  let lost = 0;
  for (let j = 0; j < values.length; j++) {
    const value = values[j];
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  // Nothing is lost of an infinity: the difference would be NaN.
  return Number.isFinite(total) ? total + lost : total;
}
