import type { FloatName } from "../tensor/element-type.ts";
import { UNIT_ROUNDOFF } from "../tensor/element-type.ts";

/**
 * How far the folded node's output may be from the original layer's, both as a runtime computes them, per output
 * channel c:
 *
 *     |difference| <= perInput[c] X + constant[c]          X the largest |x| that the folded node reads
 *
 * Derivation. Let u be the unit roundoff of the weights' type, n the number of products in one output, A = sum |k W|
 * over them, and B the sum of the magnitudes of all constants: |k b| + |k mean| + |beta| for a layer after the node,
 * |b| + sum |W| (|k mean| + |beta|) for one before it (|l| for |k mean| + |beta| where the file has only that). With
 * gamma_j = j u / (1 - j u):
 *
 * - The original node's sum has n products and a bias; each term collects at most n + 1 roundings in any order of
 *   summation: gamma_{n+1} of the sum of their magnitudes, times |k| where the layer comes after. The layer itself errs
 *   by at most 10 u of the magnitudes of its terms (clause 12.2 of the spec, with rho = dm = dv = 0, since its
 *   statistics are given); before the node that error passes through the weights, whose magnitudes are in A and B.
 * - A folded weight or bias is computed in float64 from the file's numbers, where its some five roundings are 2^-50 of
 *   its terms, and rounded once: one more rounding per term, and the node's n + 1.
 *
 * Together every term meets at most (n + 1) + 10 + 1 + (n + 1) = 2 n + 13 roundings, and one more pays for float64:
 *
 *     |difference| <= gamma_{2 n + 14} (A X + B) + underflow
 *
 * Underflow costs at most t = 2^-126 (a flushed float32; 2^-24 for float16) in each operand and result: n weights times
 * X, and the 2 n + 14 operations, times 1 + |k| where the layer follows. The bound is for runtimes that sum products,
 * in any order and with or without fused multiply-add; Winograd's and Fourier's ways to convolve, which some use on
 * GPUs, round more.
 */
export interface FoldBound {
  readonly perInput: readonly number[];
  readonly constant: readonly number[];
}

/** The magnitudes that the bound is made of, per output channel. */
export interface Magnitudes {
  readonly products: number;
  /** A: sum |k W|. */
  readonly weights: Float64Array;
  /** B: the constants. */
  readonly constants: Float64Array;
  /** |k| where the layer comes after the node, 0 where it comes before. */
  readonly gains: Float64Array;
}

/** What the smallest numbers may lose, by type. */
const UNDERFLOW: Readonly<Record<FloatName, number>> = { float64: 2 ** -1022, float32: 2 ** -126, float16: 2 ** -24, bfloat16: 2 ** -126 };

export function foldBound(type: FloatName, { products, weights, constants, gains }: Magnitudes): FoldBound {
  const j = 2 * products + 14;
  const u = UNIT_ROUNDOFF[type];
  // From j u = 1 on nothing is certain.
  const factor = j * u < 1 ? (j * u) / (1 - j * u) : Number.POSITIVE_INFINITY;
  const t = UNDERFLOW[type];
  return {
    perInput: Array.from(weights, (a) => factor * a + products * t),
    constant: Array.from(constants, (b, c) => factor * b + j * t * (1 + gains[c])),
  };
}

/** The bound for inputs of at most `largestInput` in magnitude, per output channel. */
export function boundFor({ perInput, constant }: FoldBound, largestInput: number): number[] {
  return perInput.map((value, c) => value * largestInput + constant[c]);
}
