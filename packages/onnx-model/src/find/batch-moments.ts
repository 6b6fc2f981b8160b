import { isOperator, producerOf, resolve, type Scope, type Value } from "../graph/scope.ts";
import { reducedAxes } from "../graph/shapes.ts";
import { type Axis, type Context, origin, sameValue } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { scalarOf, squareOf } from "./factors.ts";

/** A mean or a variance of a batch: of x, over all axes but one. */
export interface BatchMoment {
  /** x without the nodes that only move it. */
  readonly x: Value;
  /** The axis that is left, in what is reduced. */
  readonly axis: Axis;
  /** What is reduced, as the reduction reads it. */
  readonly reduced: Value;
}

/** A value that is the mean of x over all axes but the channels, or null. */
export function batchMean(context: Context, value: Value): BatchMoment | null {
  const reduction = reductionOf(context, value);
  return reduction === null || reduction.squares ? null : { x: origin(reduction.reduced).value, ...reduction };
}

/** How a variance is computed: from x - mean, or as the mean square of x less the square of the mean. */
export type VarianceMethod = "differences" | "squares";

export interface BatchVariance extends BatchMoment {
  readonly method: VarianceMethod;
}

/** A value that is the mean square of x - mean, or the mean square of x less the square of the mean, or null. */
export function batchVariance(context: Context, value: Value): BatchVariance | null {
  const { value: from } = origin(value);
  const node = producerOf(from);
  if (node === null) return null;
  // Rounding can make a variance negative, and a count can be 0: some exporters guard against that.
  if (isOperator(node, "Relu", "Abs", "Clip", "Max", "Where")) {
    const inputs = isOperator(node, "Where") ? node.input.slice(1) : node.input;
    const inner = inputs.map((name) => resolve(from.scope, name)).filter((each) => each !== null && context.constants.of(each) === null);
    return inner.length === 1 ? batchVariance(context, inner[0]!) : null;
  }
  if (isOperator(node, "Sub")) {
    const [square, mean] = node.input.map((name) => resolve(from.scope, name));
    const [squares, meanOf] = [square && meanSquareOf(context, square), mean && squareOf(context, mean)];
    const moment = meanOf && batchMean(context, meanOf);
    return squares && moment && sameValue(origin(squares.of).value, moment.x) ? { ...moment, method: "squares" } : null;
  }
  const squares = meanSquareOf(context, value);
  const difference = squares && origin(squares.of).value;
  const sub = difference && producerOf(difference);
  if (!sub || !isOperator(sub, "Sub")) return null;
  const [x, mean] = sub.input.map((name) => resolve(difference.scope, name));
  const moment = mean && batchMean(context, mean);
  return x && moment && sameValue(origin(x).value, moment.x) ? { ...moment, axis: squares!.axis, method: "differences" } : null;
}

/** What a value is the mean square of, over all axes but one. */
function meanSquareOf(context: Context, value: Value): { readonly of: Value; readonly axis: Axis } | null {
  const reduction = reductionOf(context, value);
  if (reduction === null) return null;
  const of = reduction.squares ? reduction.reduced : squareOf(context, reduction.reduced);
  return of && { of, axis: reduction.axis };
}

interface Reduction {
  readonly reduced: Value;
  readonly axis: Axis;
  /** Whether the squares of what is reduced are. */
  readonly squares: boolean;
}

/**
 * A mean over all axes but one, that one not being the batch: a layer normalization keeps the batch, and so more than
 * one. It is a ReduceMean, or a sum, of squares perhaps, over a count.
 */
function reductionOf(context: Context, value: Value): Reduction | null {
  const { value: from } = origin(value);
  const node = producerOf(from);
  if (node === null) return null;
  if (isOperator(node, "ReduceMean")) return overAllButOne(context, from.scope, node, null);
  if (!isOperator(node, "Div")) return null;
  const [sum, count] = node.input.map((name) => resolve(from.scope, name));
  const size = count && scalarOf(context, count);
  const summed = sum && origin(sum).value;
  const reduce = summed && producerOf(summed);
  if (!reduce || !size || !isOperator(reduce, "ReduceSum", "ReduceSumSquare")) return null;
  return overAllButOne(context, summed.scope, reduce, size);
}

function overAllButOne(context: Context, scope: Scope, node: NodeProto, count: number | null): Reduction | null {
  const reduced = resolve(scope, node.input[0]);
  const axes = reducedAxes(context.constants, scope, node);
  if (reduced === null || axes === null || axes.length === 0) return null;
  const shape = context.shapes.get(reduced.scope, reduced.name);
  // Where the rank is not known the axes tell it: [0, 2, 3] leaves axis 1 of 4, [0, 1, 2] the last of 4.
  if (shape === null && axes.some((axis) => axis < 0)) return null;
  const gap = Array.from({ length: Math.max(...axes) + 1 }, (_, k) => k).some((k) => !axes.includes(k));
  const rank = shape?.length ?? Math.max(...axes) + (gap ? 1 : 2);
  const gone = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const left = Array.from({ length: rank }, (_, k) => k).filter((k) => !gone.has(k));
  if (left.length !== 1 || left[0] === 0) return null;
  // A sum over another number than that of the elements is no mean.
  const sizes = [...gone].map((axis) => shape?.[axis] ?? null);
  if (count !== null && !sizes.includes(null) && sizes.reduce<number>((product, size) => product * size!, 1) !== count) return null;
  return { reduced, axis: { axis: left[0], rank }, squares: isOperator(node, "ReduceSumSquare") };
}
