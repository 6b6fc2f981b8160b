import { BatchNormError } from "./errors.ts";

/**
 * Any tensor, any axis, seen as `[outer, channels, inner]` (clause 3.1): a reshape, never a transposition. Element
 * `(o, c, i)` lies at offset `(o * channels + c) * inner + i`. Channels last is `inner = 1`; NCHW is `inner = H * W`.
 */
export interface ChannelView {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** How many elements share one channel: the n of every mean and variance (without a mask). */
export function elementsPerChannel(view: ChannelView): number {
  return view.outer * view.inner;
}

/**
 * The view of a shape around an axis.
 *
 * @throws BatchNormError `invalid-shape`, `invalid-rank` (below 2), `invalid-axis`.
 */
export function channelView(shape: readonly number[], axis: number): ChannelView {
  checkShape(shape);
  const at = resolveAxis(axis, shape.length);
  return { outer: product(shape, 0, at), channels: shape[at], inner: product(shape, at + 1, shape.length) };
}

/**
 * The axis counted from the front.
 *
 * @throws BatchNormError `invalid-axis` when it lies outside [-rank, rank) or is not an integer.
 */
export function resolveAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new BatchNormError("invalid-axis", `axis is out of range for rank ${rank}`, axis, `an integer from ${-rank} to ${rank - 1}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** The shape of a mask for x: all axes but the channel axis (clause 9.3). */
export function maskShape(shape: readonly number[], axis: number): number[] {
  const at = resolveAxis(axis, shape.length);
  return shape.filter((_, index) => index !== at);
}

/** The number of elements of a shape; the empty shape has one. */
export function sizeOf(shape: readonly number[]): number {
  return product(shape, 0, shape.length);
}

/** Whether two shapes are the same, axis by axis. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, index) => dimension === b[index]);
}

function checkShape(shape: readonly number[]): void {
  const wanted = "non-negative integer dimensions";
  if (!Array.isArray(shape)) throw new BatchNormError("invalid-shape", "The shape is not an array", shape, wanted);
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new BatchNormError("invalid-shape", "The shape has a wrong dimension", shape, wanted);
    }
  }
  if (shape.length < 2) {
    throw new BatchNormError("invalid-rank", "x has too few axes", shape, "rank 2 or more: a batch axis and a channel axis at least");
  }
}

function product(shape: readonly number[], from: number, to: number): number {
  let size = 1;
  for (let index = from; index < to; index++) size *= shape[index];
  return size;
}
