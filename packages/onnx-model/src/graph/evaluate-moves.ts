import { sizeOf } from "../tensor/tensor-check.ts";
import { transposedOffsets } from "./broadcast.ts";
import type { Constant, Numbers } from "./constant.ts";

// Operators that arrange the elements of a constant in another way; those that keep their order share its numbers.

export function transpose(x: Constant, given: readonly number[] | null): Constant | null {
  const perm = given ?? x.dims.map((_, k) => x.dims.length - 1 - k);
  if (!isPermutation(perm, x.dims.length)) return null;
  const dims = perm.map((axis) => x.dims[axis]);
  const read = once(() => {
    const values = x.read();
    if (values === null) return null;
    const offsets = transposedOffsets(x.dims, perm);
    return values instanceof Float32Array ? Float32Array.from(offsets, (at) => values[at]) : Float64Array.from(offsets, (at) => values[at]);
  });
  return { ...x, dims, read };
}

export function isPermutation(perm: readonly number[], rank: number): boolean {
  return perm.length === rank && new Set(perm).size === rank && perm.every((axis) => axis >= 0 && axis < rank);
}

export function reshape(x: Constant, shape: readonly number[] | null, allowZero: boolean): Constant | null {
  if (shape === null) return null;
  const dims = shape.map((dimension, k) => (dimension === 0 && !allowZero ? (x.dims[k] ?? 0) : dimension));
  const open = dims.indexOf(-1);
  const rest = sizeOf(dims.filter((dimension) => dimension !== -1));
  if (open >= 0) dims[open] = rest === 0 ? 0 : sizeOf(x.dims) / rest;
  return sizeOf(dims) === sizeOf(x.dims) && dims.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)
    ? { ...x, dims }
    : null;
}

export function flatten(x: Constant, axis: number): Constant | null {
  const at = axis < 0 ? axis + x.dims.length : axis;
  return at < 0 || at > x.dims.length ? null : { ...x, dims: [sizeOf(x.dims.slice(0, at)), sizeOf(x.dims.slice(at))] };
}

export function squeeze(x: Constant, given: readonly number[] | null): Constant | null {
  const rank = x.dims.length;
  const axes = given?.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes?.some((axis) => x.dims[axis] !== 1)) return null;
  return { ...x, dims: x.dims.filter((dimension, k) => (axes === undefined ? dimension !== 1 : !axes.includes(k))) };
}

export function unsqueeze(x: Constant, given: readonly number[] | null): Constant | null {
  if (given === null) return null;
  const rank = x.dims.length + given.length;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (new Set(axes).size < axes.length || axes.some((axis) => axis < 0 || axis >= rank)) return null;
  const rest = [...x.dims];
  return { ...x, dims: Array.from({ length: rank }, (_, k) => (axes.includes(k) ? 1 : rest.shift()!)) };
}

/** Reads once; what is not loaded yet is asked for again. */
export function once(read: () => Numbers | null): () => Numbers | null {
  let numbers: Numbers | null = null;
  return () => {
    numbers ??= read();
    return numbers;
  };
}
