import type { ChannelView } from "@batchnorm/spec";
import { momentsOf } from "@batchnorm/spec/moments";
import { arraysOf } from "../find/affine.ts";
import type { VarianceMethod } from "../find/batch-moments.ts";
import type { Match } from "../find/match.ts";
import {
  batchNormalizer,
  deviationsOf,
  givenNormalizer,
  magnitudesOf,
  type Normalizer,
  outputBound,
  roundedToHalf,
  spelledNormalizer,
  stepsBound,
} from "./bound.ts";
import type { Values } from "./runtime.ts";

/** What an element of a layer's output has to be, in float64, and how far a runtime may be from it. */
export interface Expected {
  readonly value: number;
  readonly bound: number;
}

export type Truth = (x: number, channel: number) => Expected;

/** The truth about a layer for one input, or in words why there is none. */
export function truthOf(match: Match, x: Values, view: ChannelView): Truth | string {
  if (match.perPosition) return "The layer has statistics per position.";
  const { channels, sources } = match;
  if (channels !== null && channels !== view.channels) return "The layer's input has another number of channels.";
  const arrays = arraysOf(match);
  const filled = (values: ArrayLike<number>): ArrayLike<number> =>
    values.length === 1 && view.channels > 1 ? new Float64Array(view.channels).fill(values[0]) : values;
  const gamma = filled(arrays.gamma ?? new Float64Array(view.channels).fill(1));
  const beta = filled(arrays.beta ?? new Float64Array(view.channels));
  const isComputed = (["gamma", "beta"] as const).some((name) => sources[name] !== undefined && arrays[name] === null);
  const { epsilon, form } = match;
  const isRoundedOnce = form === "BatchNormalization";
  if (match.mode === "training") {
    if (isComputed || epsilon === null) return "The layer's parameters are not constants of the file.";
    // The runtime may have averaged numbers with more digits than it shows: see roundedToHalf.
    if (x.isHalf) return "The layer takes mean and variance of float16, of which the runtime may have more digits than it gives.";
    return normalizedBy(x, batchNormalizers(x, view, epsilon, match.varianceMethod ?? null), gamma, beta);
  }
  const { movingMean, movingVariance } = arrays;
  const hasParameters = form === "unfolded" || (arrays.gamma !== null && arrays.beta !== null);
  // In float16 an exporter's nodes round everything to it, and the steps say what they are.
  const isWhole = hasParameters && movingMean !== null && movingVariance !== null && epsilon !== null && (isRoundedOnce || !x.isHalf);
  if (!isWhole) return stepsTruth(match, x.isHalf);
  const normalizers = Array.from(filled(movingMean), (mean, c) => givenNormalizer(mean, filled(movingVariance)[c], epsilon));
  return normalizedBy(x, normalizers, gamma, beta);
}

/** @param gain |gamma| / sqrt(variance + epsilon) of a channel. */
function rounded({ isHalf }: Values, truth: Truth, gain: (channel: number) => number): Truth {
  if (!isHalf) return truth;
  return (x, channel) => {
    const { value, bound } = truth(x, channel);
    return { value, bound: roundedToHalf(value, bound, x, gain(channel)) };
  };
}

/** Clause 6.1: the mean and variance of the batch normalize. */
function batchNormalizers(x: Values, view: ChannelView, epsilon: number, method: VarianceMethod | null): readonly Normalizer[] {
  const shape = [view.outer, view.channels, view.inner];
  const { count, mean, centeredSum } = momentsOf({ data: x.data, shape }, 1);
  const moments = Array.from(mean, (each, c) => ({ mean: each, variance: count === 0 ? 0 : centeredSum[c] / count, count }));
  if (method === null) {
    const deviations = deviationsOf(x.data, view, mean);
    return moments.map((each, c) => batchNormalizer(each, deviations[c], epsilon));
  }
  const magnitudes = magnitudesOf(x.data, view);
  return moments.map((each, c) => spelledNormalizer(each, magnitudes[c], method, epsilon));
}

/** Clause 5.1. */
function normalizedBy(x: Values, normalizers: readonly Normalizer[], gamma: ArrayLike<number>, beta: ArrayLike<number>): Truth {
  const truth: Truth = (value, c) => ({
    value: gamma[c] * (value - normalizers[c].mean) * normalizers[c].inverseDeviation + beta[c],
    bound: outputBound(value, normalizers[c], gamma[c], beta[c]),
  });
  return rounded(x, truth, (c) => gamma[c] * normalizers[c].inverseDeviation);
}

/** A layer of which the file has only what the exporter computed: its own steps, exactly. */
function stepsTruth({ steps }: Match, isHalf: boolean): Truth | string {
  const constants = steps.map(({ operation, constant }) => ({ operation, values: constant.read() }));
  if (steps.length === 0 || constants.some(({ values }) => values === null)) return "The layer's arrays are not constants of the file.";
  return (x, c) => {
    let [value, terms, gain] = [x, Math.abs(x), 1];
    for (const { operation, values } of constants) {
      const number = values![c];
      if (operation === "Add" || operation === "Sub") {
        value += operation === "Add" ? number : -number;
        terms += Math.abs(number);
      } else {
        const factor = operation === "Mul" ? number : 1 / number;
        value *= factor;
        terms *= Math.abs(factor);
        gain *= factor;
      }
    }
    return { value, bound: stepsBound(terms, gain, isHalf) };
  };
}
