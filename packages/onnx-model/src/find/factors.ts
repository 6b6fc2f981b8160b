import { type Constant, isVectorSized } from "../graph/constant.ts";
import { isOperator, producerOf, resolve, type Value } from "../graph/scope.ts";
import { type Context, origin, sameValue } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { sizeOf } from "../tensor/tensor-check.ts";

/** One factor of a product: a value, without the nodes that only move it, to a power. */
export interface Factor {
  readonly value: Value;
  readonly exponent: number;
}

/** A value as a product: sign times factors. */
export interface Product {
  readonly sign: 1 | -1;
  readonly factors: readonly Factor[];
}

/** One term of a sum. */
export interface Term {
  readonly sign: 1 | -1;
  readonly value: Value;
}

/** No formula of a batch normalization has more factors or terms, written in whatever way. */
const MOST = 12;

/** A value taken apart into factors, through Mul, Div, Reciprocal, Sqrt, Pow and Neg; null where it has too many. */
export function productOf(context: Context, value: Value): Product | null {
  const factors: Factor[] = [];
  let sign: 1 | -1 = 1;
  const walk = (at: Value, exponent: number): boolean => {
    if (factors.length > MOST) return false;
    const { value: from } = origin(at);
    const node = producerOf(from);
    const input = (index: number): Value | null => (node === null ? null : resolve(from.scope, node.input[index]));
    const [a, b] = [input(0), input(1)];
    if (node !== null && a !== null) {
      if (isOperator(node, "Mul") && b !== null) return walk(a, exponent) && walk(b, exponent);
      if (isOperator(node, "Div") && b !== null) return walk(a, exponent) && walk(b, -exponent);
      if (isOperator(node, "Reciprocal")) return walk(a, -exponent);
      if (isOperator(node, "Sqrt")) return walk(a, exponent / 2);
      if (isOperator(node, "Neg") && Number.isInteger(exponent)) {
        if (exponent % 2 !== 0) sign = sign === 1 ? -1 : 1;
        return walk(a, exponent);
      }
      const power = isOperator(node, "Pow") && b !== null ? scalarOf(context, b) : null;
      if (power !== null && Math.abs(power) === 0.5) return walk(a, exponent * power);
    }
    if (!isOne(context, from)) factors.push({ value: from, exponent });
    return true;
  };
  return walk(value, 1) ? { sign, factors } : null;
}

/** The 1 of 1 / sqrt(v): a number without dimensions, which the gamma of one channel is not. */
function isOne({ constants }: Context, value: Value): boolean {
  const constant = constants.of(value);
  return constant?.dims.length === 0 && constant.read()?.[0] === 1;
}

/** A value taken apart into terms, through Add, Sub and Neg; null where it has too many. */
export function termsOf(value: Value): readonly Term[] | null {
  const terms: Term[] = [];
  const walk = (at: Value, sign: 1 | -1): boolean => {
    if (terms.length > MOST) return false;
    const { value: from } = origin(at);
    const node = producerOf(from);
    const input = (index: number): Value | null => (node === null ? null : resolve(from.scope, node.input[index]));
    const [a, b] = [input(0), input(1)];
    const minus = sign === 1 ? -1 : 1;
    if (node !== null && a !== null) {
      if (isOperator(node, "Add") && b !== null) return walk(a, sign) && walk(b, sign);
      if (isOperator(node, "Sub") && b !== null) return walk(a, sign) && walk(b, minus);
      if (isOperator(node, "Neg")) return walk(a, minus);
    }
    terms.push({ sign, value: from });
    return true;
  };
  return walk(value, 1) ? terms : null;
}

/** A constant of one element as a number; null for anything else. */
export function scalarOf({ constants }: Context, value: Value): number | null {
  const constant = constants.of(value);
  return constant !== null && sizeOf(constant.dims) === 1 ? (constant.read()?.[0] ?? null) : null;
}

/** What stands under a root: variance + epsilon. */
export interface Deviation {
  /** The sum itself. */
  readonly sum: Value;
  readonly variance: Value;
  readonly epsilon: Value;
}

/** Reads a value as variance + epsilon, in either order, where epsilon is one constant number. */
export function deviationOf(context: Context, sum: Value): Deviation | null {
  const node = producerOf(sum);
  if (node === null || !isOperator(node, "Add")) return null;
  const [a, b] = node.input.map((name) => resolve(sum.scope, name));
  if (a === null || b === null || a === undefined || b === undefined) return null;
  const pair = (variance: Value, epsilon: Value): Deviation | null =>
    scalarOf(context, epsilon) === null ? null : { sum, variance: origin(variance).value, epsilon: origin(epsilon).value };
  const [left, right] = [scalarOf(context, a), scalarOf(context, b)];
  if (left === null || right === null) return pair(a, b) ?? pair(b, a);
  // With one channel both are numbers: epsilon is the one with fewer dimensions, or the smaller one.
  const [dimsOfA, dimsOfB] = [a, b].map((value) => context.constants.of(value)!.dims.length);
  return dimsOfA < dimsOfB || (dimsOfA === dimsOfB && left < right) ? pair(b, a) : pair(a, b);
}

/** The factors less some others, each taken out once; null where one of those is not there. */
export function without(factors: readonly Factor[], others: readonly Factor[]): readonly Factor[] | null {
  const rest = [...factors];
  for (const other of others) {
    const at = rest.findIndex((each) => each.exponent === other.exponent && sameValue(each.value, other.value));
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return rest;
}

/**
 * How a constant lies along one axis: its length, and the axis counted from the end. Null for one with two axes, or
 * with none.
 */
export function vectorOf(constant: Constant): { readonly length: number; readonly fromEnd: number } | null {
  if (!isVectorSized(constant)) return null;
  const long = constant.dims.flatMap((dimension, k) => (dimension === 1 ? [] : [k]));
  if (long.length !== 1 || constant.dims[long[0]] === 0) return null;
  return { length: constant.dims[long[0]], fromEnd: constant.dims.length - long[0] };
}

/** Whether a node reads the same value twice, or squares it: the square of a deviation from the mean. */
export function squareOf(context: Context, value: Value): Value | null {
  const { value: from } = origin(value);
  const node: NodeProto | null = producerOf(from);
  if (node === null) return null;
  const [a, b] = node.input.map((name) => resolve(from.scope, name));
  if (a === null || a === undefined) return null;
  if (isOperator(node, "Mul") && b !== null && b !== undefined && sameValue(a, b)) return a;
  return isOperator(node, "Pow") && b !== null && b !== undefined && scalarOf(context, b) === 2 ? a : null;
}
