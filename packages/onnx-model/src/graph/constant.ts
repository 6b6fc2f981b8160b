import { sizeOf } from "../tensor/tensor-check.ts";
import type { Scope, Value } from "./scope.ts";

export type Numbers = Float32Array | Float64Array;

/**
 * A value that does not depend on what the model is given. Its shape is known at once; its numbers are read when they
 * are asked for, since they may lie in a file of gigabytes.
 */
export interface Constant {
  /** The name of the element type, such as `float32`. */
  readonly type: string;
  readonly dims: readonly number[];
  /** Whether a caller may feed other numbers: an initializer that is a graph input, too. */
  readonly overridable: boolean;
  /** The numbers, of arithmetic in float64; null as long as they have to be loaded. */
  read(): Numbers | null;
}

/** Where constants are asked for, by the name that a scope knows or by the value. */
export interface KnownConstants {
  /** Null for a value that is computed at run time, or not yet loaded. */
  get(scope: Scope, name: string): Constant | null;
  of(value: Value): Constant | null;
}

/** No vector of channels has more elements, and what a few bytes of file can expand to is not to fill the memory. */
export const LARGEST_VECTOR: number = 2 ** 20;

/** A constant of numbers that are known. */
export function fixed(type: string, dims: readonly number[], values: Float64Array): Constant {
  return { type, dims, overridable: false, read: () => values };
}

/** Whether a constant can be a vector of channels: reading it costs nothing worth saving. */
export function isVectorSized({ dims }: Constant): boolean {
  return sizeOf(dims) <= LARGEST_VECTOR;
}
