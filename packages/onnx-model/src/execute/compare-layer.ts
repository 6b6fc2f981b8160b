import { channelView, sameShape } from "@batchnorm/spec";
import { fromFloat16, toFloat16 } from "@batchnorm/spec/half";
import type { Match } from "../find/match.ts";
import type { SkippedLayer } from "./execution.ts";
import type { Values } from "./runtime.ts";
import { type Truth, truthOf } from "./truth.ts";

/** An element of a layer's output beside what it has to be. */
export interface CheckedElement {
  readonly channel: number;
  /** Where in the output, counted from 0. */
  readonly index: number;
  readonly x: number;
  readonly received: number;
  /** By the spec, in float64. */
  readonly expected: number;
  readonly error: number;
  readonly bound: number;
}

/** What a layer gave, held against the spec. */
export interface Comparison {
  readonly elements: number;
  /** How many elements are beyond their bound, and the first of their channels, at most 8. */
  readonly wrong: number;
  readonly wrongChannels: readonly number[];
  /** The element with the largest error as a share of its bound; null for a layer without elements. */
  readonly worst: CheckedElement | null;
}

type Skipped = Omit<SkippedLayer, "layer">;

/** What a layer read, in each round. */
export interface ComparedInput {
  /** The axis of the channels. */
  readonly axis: number;
  readonly rounds: readonly (Values | null)[];
}

/**
 * A layer in each of its rounds: one, or those of the loop that it lies in. An x from outside of the loop is the same in
 * all. Of several inputs the first one counts that has the axes of the output.
 */
export function compareLayer(match: Match, inputs: readonly ComparedInput[], y: readonly (Values | null)[]): Comparison | Skipped {
  if (y.length === 0) return { code: "not-executed", why: "The branch or loop of the layer is not taken with these inputs." };
  let all: Comparison | null = null;
  for (const [round, each] of y.entries()) {
    const given = inputs.map(({ axis, rounds }) => ({ axis, x: rounds[rounds.length === 1 ? 0 : round] ?? null }));
    const result = compareRound(match, given, each);
    if ("code" in result) return result;
    all = all === null ? result : joined(all, result);
  }
  return all!;
}

function compareRound(
  match: Match,
  inputs: readonly { readonly axis: number; readonly x: Values | null }[],
  y: Values | null,
): Comparison | Skipped {
  const isKnown = (values: Values | null): values is Values & { data: Float32Array } => values?.data instanceof Float32Array;
  const fitting = inputs.find(({ x }) => x !== null && y !== null && sameShape(x.shape, y.shape)) ?? inputs[0];
  const { x, axis } = fitting;
  if (!isKnown(x) || !isKnown(y) || x.isHalf !== y.isHalf) {
    return { code: "not-float32", why: "The layer's input and output are not float32 or float16, for which the bounds are." };
  }
  if (!sameShape(x.shape, y.shape)) return { code: "other-layout", why: "The layer's output has other axes than its input." };
  const view = channelView(x.shape, axis);
  const truth = truthOf(match, x, view);
  if (typeof truth === "string") return { code: match.form.startsWith("moments") ? "batch-arithmetic" : "no-state", why: truth };
  return compare(x.data, y.data, view, truth, x.isHalf);
}

function joined(before: Comparison, next: Comparison): Comparison {
  const share = (worst: CheckedElement | null): number => (worst === null ? -1 : shareOf(worst.error, worst.bound));
  const isWorse = share(next.worst) > share(before.worst);
  return {
    elements: before.elements + next.elements,
    wrong: before.wrong + next.wrong,
    wrongChannels: [...new Set([...before.wrongChannels, ...next.wrongChannels])].sort((a, b) => a - b).slice(0, 8),
    worst: isWorse ? { ...next.worst!, index: before.elements + next.worst!.index } : before.worst,
  };
}

/** A NaN is beyond every bound, and so is a number where infinity has to be. */
function shareOf(error: number, bound: number): number {
  if (Number.isNaN(error) || error === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return error === 0 ? 0 : error / bound;
}

function compare(
  x: Float32Array,
  y: Float32Array,
  { channels, inner }: ReturnType<typeof channelView>,
  truth: Truth,
  isHalf: boolean,
): Comparison {
  const round = isHalf ? (value: number): number => fromFloat16(toFloat16(value)) : Math.fround;
  const wrongChannels = new Set<number>();
  let wrong = 0;
  let worst: CheckedElement | null = null;
  let largest = -1;
  for (let index = 0; index < y.length; index++) {
    const channel = Math.floor(index / inner) % channels;
    const { value: expected, bound } = truth(x[index], channel);
    // In float16 that may be a number which is too large to be shown (see roundedToHalf).
    const isUnknown = isHalf && Math.abs(x[index]) === Number.POSITIVE_INFINITY;
    const error = isUnknown ? 0 : errorOf(y[index], expected, bound, round);
    const share = shareOf(error, bound);
    if (share > 1) {
      wrong += 1;
      wrongChannels.add(channel);
    }
    if (share <= largest) continue;
    largest = share;
    worst = { channel, index, x: x[index], received: y[index], expected, error, bound };
  }
  return { elements: y.length, wrong, wrongChannels: [...wrongChannels].sort((a, b) => a - b).slice(0, 8), worst };
}

/** The error; 0 where both are the same infinity or both NaN, and where a result beyond its type became infinite. */
function errorOf(received: number, expected: number, bound: number, round: (value: number) => number): number {
  if (Object.is(received, round(expected))) return Number.isFinite(received) ? Math.abs(received - expected) : 0;
  if (!Number.isFinite(received) && !Number.isNaN(received)) {
    const most = Math.abs(expected) + bound;
    return Math.sign(received) === Math.sign(expected) && !Number.isFinite(round(most)) ? 0 : Number.POSITIVE_INFINITY;
  }
  return Math.abs(received - expected);
}
