import { channelView } from "@batchnorm/spec";
import { type AccuracyCase, EPSILON } from "./cases.ts";

export const OUTPUTS = ["y", "movingMean", "movingVariance", "dx", "dgamma", "dbeta"] as const;
export type OutputName = (typeof OUTPUTS)[number];
export type Results = Readonly<Record<OutputName, ArrayLike<number>>>;

/**
 * How far each output of a case lies from the truth at its worst element, in units of the last place of the output's
 * largest number.
 */
export type Errors = Readonly<Record<OutputName, number>>;

export interface Truth extends Readonly<Record<OutputName, Float64Array>> {
  /**
   * By how much the terms of a sum outweigh the sum itself, in its largest channel; 1 for what is no sum of both
   * signs.
   */
  readonly condition: Errors;
}

/**
 * The formulas of docs/spec.md in float64, with sums of deviations, whose errors are far below those of any float32.
 */
export function truthOf({ x, dy, mask, gamma, beta, shape, axis }: AccuracyCase): Truth {
  const view = channelView(shape, axis);
  const { outer, channels, inner } = view;
  const [y, dx] = [new Float64Array(x.length), new Float64Array(x.length)];
  const vectors = { movingMean: new Float64Array(channels), movingVariance: new Float64Array(channels) };
  const [dgamma, dbeta] = [new Float64Array(channels), new Float64Array(channels)];
  const magnitudes = { movingMean: new Float64Array(channels), dgamma: new Float64Array(channels), dbeta: new Float64Array(channels) };
  for (let c = 0; c < channels; c++) {
    const each = (visit: (k: number, visible: boolean) => void): void => {
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) visit((o * channels + c) * inner + i, mask === null || mask[o * inner + i] !== 0);
      }
    };
    let [n, sum] = [0, 0];
    each((k, visible) => {
      if (!visible) return;
      n++;
      sum += x[k];
    });
    let mean = sum / n;
    sum = 0;
    each((k, visible) => {
      if (!visible) return;
      sum += x[k] - mean;
      magnitudes.movingMean[c] += Math.abs(x[k]) / n;
    });
    mean += sum / n;
    let squares = 0;
    each((k, visible) => {
      if (visible) squares += (x[k] - mean) ** 2;
    });
    const variance = squares / n;
    const r = 1 / Math.sqrt(variance + EPSILON);
    each((k) => {
      dbeta[c] += dy[k];
      dgamma[c] += dy[k] * (x[k] - mean) * r;
      magnitudes.dbeta[c] += Math.abs(dy[k]);
      magnitudes.dgamma[c] += Math.abs(dy[k] * (x[k] - mean) * r);
    });
    each((k, visible) => {
      const xHat = (x[k] - mean) * r;
      y[k] = gamma[c] * xHat + beta[c];
      dx[k] = gamma[c] * r * (dy[k] - (visible ? (dbeta[c] + xHat * dgamma[c]) / n : 0));
    });
    vectors.movingMean[c] = mean;
    vectors.movingVariance[c] = variance;
  }
  const sums = { movingMean: vectors.movingMean, dgamma, dbeta };
  const conditions = Object.entries(sums).map(([name, sum]) => [name, conditionOf(sum, magnitudes[name as keyof typeof sums])]);
  const condition = { y: 1, movingVariance: 1, dx: 1, ...Object.fromEntries(conditions) } as Errors;
  return { y, dx, ...vectors, dgamma, dbeta, condition };
}

function conditionOf(sums: Float64Array, magnitudes: Float64Array): number {
  const largest = sums.reduce((best, sum, c) => (Math.abs(sum) > Math.abs(sums[best]) ? c : best), 0);
  return magnitudes[largest] / Math.abs(sums[largest]);
}

/** What one backend made of one case, and how hard the case is. */
export interface Measurement {
  readonly errors: Errors;
  readonly condition: Errors;
}

export function measurementOf(results: Results, truth: Truth): Measurement {
  return { errors: errorsOf(results, truth), condition: truth.condition };
}

export function errorsOf(results: Results, truth: Results): Errors {
  return Object.fromEntries(OUTPUTS.map((name) => [name, worst(results[name], truth[name])])) as Errors;
}

function worst(got: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [error, scale] = [0, 0];
  for (let k = 0; k < truth.length; k++) {
    const off = Math.abs(got[k] - truth[k]);
    error = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(error, off);
    scale = Math.max(scale, Math.abs(truth[k]));
  }
  return error / 2 ** (Math.max(Math.floor(Math.log2(scale)), -126) - 23);
}
