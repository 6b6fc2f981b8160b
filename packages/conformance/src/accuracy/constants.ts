import type { Supports } from "@batchnorm/spec";

/**
 * Half the distance from 1 to the next float32: the relative error of one correctly rounded operation (clause 12.1).
 */
export const UNIT_ROUNDOFF: number = 2 ** -24;

/**
 * K of clause 12.2: the rounding errors, in units of u, that a term of the formula may collect. epsilon to float32
 * and its sum with the variance 1 (they pass through a root), an inverse root good to 2 ULP 4, gamma 1, x 1, the
 * subtraction and the sum with beta 2: 9 in all, and 1 for the terms of higher order.
 */
export const ROUNDINGS = 10;

/**
 * The same count for what the batch statistics take out of dy (clause 12.5): S2 to float32 1, its product with xHat
 * 1, the sum with S1 1, 1 / n and the product with it 2, the difference from dy 1, gamma times the inverse root 6,
 * the product with that 1: 13 in all, and 1 for the terms of higher order.
 */
export const THROUGH_ROUNDINGS = 14;

/**
 * The roundings of one step of the moving average: 1 - momentum, a product, a sum, and 1 for the terms of higher
 * order (clause 12.4).
 */
export const AVERAGE_ROUNDINGS = 4;

/** The parts of a backend's manifest that its bounds depend on. */
export type Accuracy = Pick<Supports, "accumulation" | "subnormals">;

/** The largest float32. */
export const LARGEST_FLOAT32: number = (2 - 2 ** -23) * 2 ** 127;

/** The relative error of one operation inside a sum over the batch. */
export function accumulationRoundoff({ accumulation }: Accuracy): number {
  return accumulation === "float32" ? UNIT_ROUNDOFF : 2 ** -53;
}

/**
 * How many terms a float32 sum may add in a row before it must go on with another: the sums of such blocks are summed
 * again.
 */
const LONGEST_BLOCK = 128;

/**
 * How many roundings a term of a sum of n may collect (clause 12.3): n in float64, where that is nothing. In float32
 * blocks of l1, l2, ... terms, of which each is at most 128 and whose product is n, take l1 + l2 + ... of them, which
 * is at most 128 log_128 n.
 */
export function sumRoundings(n: number, { accumulation }: Accuracy): number {
  if (accumulation === "float64" || n <= LONGEST_BLOCK) return n;
  return (LONGEST_BLOCK * Math.log(n)) / Math.log(LONGEST_BLOCK);
}

/**
 * The absolute error of one operation whose result is subnormal: one unit of the grid, or all of it where flushed to
 * zero.
 */
export function underflow({ subnormals }: Accuracy): number {
  return subnormals === "preserved" ? 2 ** -149 : 2 ** -126;
}
