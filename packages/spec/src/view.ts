import type { ChannelView, TensorInfo } from "./contract.ts";
import { BatchNormError } from "./errors.ts";

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
  if (shape.length < 2) {
    throw new BatchNormError("invalid-rank", "x has too few axes", shape, "rank 2 or more: a batch axis and a channel axis at least");
  }
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
  if (a.length !== b.length) return false;
  // Not `every`, which steps over the holes of a sparse array.
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** @throws BatchNormError `invalid-shape` for anything but an array of non-negative integers. */
export function checkShape(shape: readonly number[]): void {
  const wanted = "non-negative integer dimensions";
  if (!Array.isArray(shape)) throw new BatchNormError("invalid-shape", "The shape is not an array", shape, wanted);
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new BatchNormError("invalid-shape", "The shape has a wrong dimension", shape, wanted);
    }
  }
}

function product(shape: readonly number[], from: number, to: number): number {
  let size = 1;
  for (let index = from; index < to; index++) size *= shape[index];
  return size;
}

/**
 * @throws BatchNormError `data-length` when the data behind a tensor does not fill its shape.
 */
export function checkDataLength(what: string, { length }: TensorInfo, shape: readonly number[]): void {
  if (length !== undefined && length !== sizeOf(shape)) {
    throw new BatchNormError(
      "data-length",
      `The data of ${what} does not fill its shape [${shape.join(", ")}]`,
      length,
      `${sizeOf(shape)} elements`,
    );
  }
}
