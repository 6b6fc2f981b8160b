import { type ChannelView, channelView } from "@batchnorm/spec";
import type { Task } from "./task.ts";

/** What a task gives in float64, of which float32 results are held against; null where the work has no such result. */
export interface Exact {
  readonly y: Float64Array;
  readonly movingMean: Float64Array;
  readonly movingVariance: Float64Array;
  readonly batch: { readonly mean: Float64Array; readonly variance: Float64Array } | null;
  readonly dx: Float64Array | null;
  readonly dgamma: Float64Array | null;
  readonly dbeta: Float64Array | null;
}

/** The formulas of docs/spec.md, written to be obvious; no competitor's code. */
export function exactResults({ work, shape, axis, epsilon, momentum, x, dy, state }: Task): Exact {
  const view = channelView(shape, axis);
  const { gamma, beta } = state.parameters;
  const { movingMean, movingVariance } = state.statistics;
  const n = view.outer * view.inner;
  const sum = (term: (k: number, c: number) => number): Float64Array => sumByChannel(view, term);
  const move = (old: number, fresh: number): number => momentum * old + (1 - momentum) * fresh;

  const training = work !== "inference";
  const mean = training ? sum((k) => x[k] / n) : Float64Array.from(movingMean);
  const variance = training ? sum((k, c) => (x[k] - mean[c]) ** 2 / n) : Float64Array.from(movingVariance);
  const r = variance.map((each) => 1 / Math.sqrt(each + epsilon));
  const xHat = (k: number, c: number): number => (x[k] - mean[c]) * r[c];
  const y = map(view, (k, c) => gamma[c] * xHat(k, c) + beta[c]);
  const after = {
    movingMean: Float64Array.from(movingMean, (old, c) => (training ? move(old, mean[c]) : old)),
    movingVariance: Float64Array.from(movingVariance, (old, c) => (training ? move(old, variance[c]) : old)),
    batch: training ? { mean, variance } : null,
  };
  if (work !== "forward + backward") return { y, ...after, dx: null, dgamma: null, dbeta: null };
  const dbeta = sum((k) => dy[k]);
  const dgamma = sum((k, c) => dy[k] * xHat(k, c));
  const dx = map(view, (k, c) => gamma[c] * r[c] * (dy[k] - (dbeta[c] + xHat(k, c) * dgamma[c]) / n));
  return { y, ...after, dx, dgamma, dbeta };
}

function map(view: ChannelView, term: (k: number, c: number) => number): Float64Array {
  const values = new Float64Array(view.outer * view.channels * view.inner);
  visit(view, (k, c) => {
    values[k] = term(k, c);
  });
  return values;
}

function sumByChannel(view: ChannelView, term: (k: number, c: number) => number): Float64Array {
  const sums = new Float64Array(view.channels);
  visit(view, (k, c) => {
    sums[c] += term(k, c);
  });
  return sums;
}

function visit({ outer, channels, inner }: ChannelView, each: (k: number, c: number) => void): void {
  let k = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) for (let i = 0; i < inner; i++) each(k++, c);
  }
}
