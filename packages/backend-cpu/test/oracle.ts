import { channelView } from "@batchnorm/spec";
import { expect } from "vitest";
import type { Example, Outputs } from "./numbers.ts";

const EPSILON = 1e-3;

/** Half the distance from 1 to the next float32, and a little for terms of second order. */
const U = 2 ** -24 * (1 + 2 ** -10);

/** What may be off besides: float64 roundings, and float32 ones of numbers near 0. */
const TINY = 2 ** -40;

/** The truth of one output, and how far off a result may be. */
interface Expected {
  readonly truth: Float64Array;
  readonly bound: Float64Array;
}

/**
 * The formulas of docs/spec.md in float64, one after another, from `[outer, channels, inner]` alone: nothing of columns, runs, chunks
 * or tiles.
 *
 * The bounds are those of the arithmetic (src/simd/float32.ts counts the roundings), sums being float64 on both sides: statistics and
 * sums are off by their rounding to float32, y and dx by that of a few operations.
 */
export function oracle({ shape, axis, x, dy, mask, state }: Example, training: boolean): Readonly<Record<keyof Outputs, Expected>> {
  const { outer, channels, inner } = channelView(shape, axis);
  const { gamma, beta } = state.parameters;
  const { movingMean, movingVariance } = state.statistics;
  /** Calls `visit(element, channel, is it visible?)`. */
  const each = (visit: (k: number, c: number, visible: boolean) => void): void => {
    for (let o = 0, k = 0; o < outer; o++) {
      for (let c = 0; c < channels; c++) for (let i = 0; i < inner; i++) visit(k++, c, mask === null || mask[o * inner + i] !== 0);
    }
  };
  const perChannel = (): Float64Array => new Float64Array(channels);
  const output = (length: number): Expected => ({ truth: new Float64Array(length), bound: new Float64Array(length) });

  const n = mask === null ? outer * inner : mask.reduce((count, visible) => count + Number(visible !== 0), 0);
  const byBatch = training && n > 0;
  const mean = Float64Array.from(movingMean);
  const variance = Float64Array.from(movingVariance);
  const size = perChannel();
  if (byBatch) {
    mean.fill(0);
    each((k, c, visible) => {
      if (!visible) return;
      mean[c] += x[k];
      size[c] += Math.abs(x[k]) / n;
    });
    for (let c = 0; c < channels; c++) mean[c] /= n;
    variance.fill(0);
    each((k, c, visible) => {
      if (visible) variance[c] += (x[k] - mean[c]) ** 2 / n;
    });
  }
  const r = variance.map((value) => 1 / Math.sqrt(value + EPSILON));
  const slope = r.map((value, c) => gamma[c] * value);
  const [dbeta, dgamma] = [output(channels), output(channels)];
  each((k, c) => {
    const projection = dy[k] * (x[k] - mean[c]) * r[c];
    dbeta.truth[c] += dy[k];
    dgamma.truth[c] += projection;
    dbeta.bound[c] += Math.abs(dy[k]);
    dgamma.bound[c] += Math.abs(projection);
  });

  // Momentum is 0, so the state has the batch's own statistics. A float64 sum of n terms is off by n 2^-53 of their magnitudes.
  const [movingMeans, movingVariances] = [output(channels), output(channels)];
  for (let c = 0; c < channels; c++) {
    const meanError = n * 2 ** -52 * size[c];
    movingMeans.truth[c] = mean[c];
    movingMeans.bound[c] = U * Math.abs(mean[c]) + meanError;
    movingVariances.truth[c] = variance[c];
    movingVariances.bound[c] = U * variance[c] + n * 2 ** -50 * variance[c] + meanError ** 2;
    for (const { truth, bound } of [dbeta, dgamma]) bound[c] = U * Math.abs(truth[c]) + outer * inner * 2 ** -52 * bound[c];
  }

  const [y, dx] = [output(x.length), output(x.length)];
  each((k, c, visible) => {
    const scaled = slope[c] * (x[k] - mean[c]);
    y.truth[k] = scaled + beta[c];
    y.bound[k] = U * (3 * Math.abs(scaled) + Math.abs(beta[c]) + Math.abs(y.truth[k])) + TINY;
    const direct = slope[c] * dy[k];
    const through = byBatch && visible ? 1 / n : 0;
    const level = slope[c] * dbeta.truth[c] * through;
    const projection = scaled * r[c] * dgamma.truth[c] * through;
    dx.truth[k] = direct - level - projection;
    dx.bound[k] = U * (2 * Math.abs(direct) + 4 * Math.abs(projection) + 2 * Math.abs(level) + Math.abs(dx.truth[k])) + TINY;
  });
  return { y, dx, dgamma, dbeta, movingMean: movingMeans, movingVariance: movingVariances };
}

/** Holds results against an oracle, element by element. */
export function expectOracle(got: Outputs, expected: ReturnType<typeof oracle>): void {
  for (const [name, { truth, bound }] of Object.entries(expected) as [keyof Outputs, Expected][]) {
    const values = got[name];
    expect(values.length).toBe(truth.length);
    const k = truth.findIndex((value, index) => !(Math.abs(values[index] - value) <= bound[index]));
    expect(k < 0 ? null : `${name}[${k}] is ${values[k]}, expected ${truth[k]} within ${bound[k]}`).toBeNull();
  }
}
