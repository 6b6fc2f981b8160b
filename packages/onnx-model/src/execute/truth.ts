import type { ChannelView } from "@batchnorm/spec";
import { momentsOf } from "@batchnorm/spec/moments";
import { arraysOf } from "../find/affine.ts";
import type { Match } from "../find/match.ts";
import { batchNormalizer, deviationsOf, givenNormalizer, outputBound, stepsBound } from "./bound.ts";
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
  const { gamma, beta, movingMean, movingVariance } = arraysOf(match);
  const { epsilon, channels, mode, form } = match;
  if (form === "moments" || form === "moments+BatchNormalization") return "The layer is training mode, spelled out in single nodes.";
  if (channels !== null && channels !== view.channels) return "The layer's input has another number of channels.";
  const scale = gamma ?? new Float64Array(view.channels).fill(1);
  const shift = beta ?? new Float64Array(view.channels);
  const hasParameters = form === "unfolded" || (gamma !== null && beta !== null);
  if (mode === "training") {
    if (!hasParameters || epsilon === null) return "The layer's parameters are not constants of the file.";
    return batchTruth(x, view, scale, shift, epsilon);
  }
  if (hasParameters && movingMean !== null && movingVariance !== null && epsilon !== null) {
    const normalizers = Array.from(movingMean, (mean, c) => givenNormalizer(mean, movingVariance[c], epsilon));
    return (value, c) => normalized(value, normalizers[c], scale[c], shift[c]);
  }
  return stepsTruth(match);
}

/** Clause 6.1: the mean and variance of the batch normalize. */
function batchTruth(x: Values, view: ChannelView, gamma: ArrayLike<number>, beta: ArrayLike<number>, epsilon: number): Truth {
  const shape = [view.outer, view.channels, view.inner];
  const { count, mean, centeredSum } = momentsOf({ data: x.data, shape }, 1);
  const deviations = deviationsOf(x.data, view, mean);
  const normalizers = deviations.map((deviation, c) =>
    batchNormalizer({ mean: mean[c], variance: count === 0 ? 0 : centeredSum[c] / count, count }, deviation, epsilon),
  );
  return (value, c) => normalized(value, normalizers[c], gamma[c], beta[c]);
}

/** Clause 5.1. */
function normalized(x: number, normalizer: ReturnType<typeof givenNormalizer>, gamma: number, beta: number): Expected {
  const value = gamma * (x - normalizer.mean) * normalizer.inverseDeviation + beta;
  return { value, bound: outputBound(x, normalizer, gamma, beta) };
}

/** A layer of which the file has only what the exporter computed: its own steps, exactly. */
function stepsTruth({ steps }: Match): Truth | string {
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
    return { value, bound: stepsBound(terms, gain) };
  };
}
