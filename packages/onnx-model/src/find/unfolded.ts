import { resolve, type Scope, type Value } from "../graph/scope.ts";
import { type Context, origin, sameValue } from "../graph/trace.ts";
import { sizeOf } from "../tensor/tensor-check.ts";
import { deviationOf, type Factor, type Product, productOf, scalarOf, termsOf, vectorOf, without } from "./factors.ts";
import type { ArrayName, Source, Step } from "./match.ts";

/** The arrays of a layer whose formula is in the file. */
export type UnfoldedSources = Readonly<Partial<Record<ArrayName | "epsilon", Source>>>;

/**
 * Takes the constants of a decomposed layer apart:
 *
 *     x k + l             where k = gamma / sqrt(variance + epsilon) and l = beta - mean k
 *     (x - mean) k + beta
 *
 * Null unless all of it is there: a root of variance + epsilon, a mean, and at most one gamma and one beta.
 */
export function unfoldedSources(context: Context, scope: Scope, steps: readonly Step[]): UnfoldedSources | null {
  const value = (step: Step): Value => resolve(scope, step.node.input[step.index])!;
  const isFactor = (step: Step): boolean => step.operation === "Mul" || step.operation === "Div";
  const k = steps.filter(isFactor).map((step) => powered(productOf(context, value(step)), step.operation === "Div"));
  if (k.some((each) => each === null || each.sign !== 1)) return null;
  const factors = k.flatMap((each) => each!.factors);
  const root = factors.find(({ exponent }) => exponent === -0.5);
  const deviation = root && deviationOf(context, root.value);
  if (!root || !deviation || context.constants.of(deviation.variance) === null) return null;
  const others = without(factors, [root])!;
  if (others.length > 1 || others.some(({ exponent, value: each }) => exponent !== 1 || !isVector(context, each))) return null;
  const gamma = others[0]?.value ?? null;
  const rest = restOf(context, steps, value, factors);
  if (rest === null) return null;
  const read = (at: Value): Source["read"] => {
    const step = steps.find((each) => sameValue(value(each), at));
    return step === undefined ? null : { node: step.node, index: step.index };
  };
  const source = (at: Value): Source => ({ value: at, read: read(at), constant: context.constants.of(at) });
  return {
    ...(gamma === null ? {} : { gamma: source(gamma) }),
    ...(rest.beta === null ? {} : { beta: source(rest.beta) }),
    movingMean: source(rest.mean),
    movingVariance: source(deviation.variance),
    epsilon: source(deviation.epsilon),
  };
}

/** The mean and beta, from the steps that add. */
function restOf(
  context: Context,
  steps: readonly Step[],
  value: (step: Step) => Value,
  k: readonly Factor[],
): { readonly mean: Value; readonly beta: Value | null } | null {
  const [first] = steps;
  const last = steps[steps.length - 1];
  const shift = last.operation === "Add" || last.operation === "Sub" ? last : null;
  if (first.operation === "Sub") {
    if (shift?.operation === "Sub") return null;
    return { mean: origin(value(first)).value, beta: shift === null ? null : origin(value(shift)).value };
  }
  const terms = shift === null ? null : termsOf(value(shift));
  if (shift === null || terms === null || terms.length > 2) return null;
  let mean: Value | null = null;
  let beta: Value | null = null;
  for (const term of terms) {
    const product = productOf(context, term.value);
    const left = product && without(product.factors, k);
    const sign = term.sign * (product?.sign ?? 1) * (shift.operation === "Sub" ? -1 : 1);
    if (left?.length === 1 && left[0].exponent === 1 && sign === -1 && mean === null) mean = left[0].value;
    else if (sign === 1 && beta === null) beta = term.value;
    else return null;
  }
  return mean === null ? null : { mean, beta };
}

function powered(product: Product | null, inverse: boolean): Product | null {
  if (product === null || !inverse) return product;
  return { ...product, factors: product.factors.map(({ value, exponent }) => ({ value, exponent: -exponent })) };
}

function isVector(context: Context, value: Value): boolean {
  const constant = context.constants.of(value);
  return constant !== null && (vectorOf(constant) !== null || (scalarOf(context, value) !== null && sizeOf(constant.dims) === 1));
}
