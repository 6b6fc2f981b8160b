import { isOperator, producerOf, resolve, type Scope, usesOf, type Value } from "../graph/scope.ts";
import { type Context, movesOnly, origin, sameValue } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { type BatchMoment, batchMean, batchVariance } from "./batch-moments.ts";
import { deviationOf, type Factor, productOf, scalarOf, termsOf, vectorOf, without } from "./factors.ts";
import type { Match, Source } from "./match.ts";

/** How far after the root of the variance the formula may end: no exporter needs more nodes. */
const FARTHEST = 24;

/**
 * A layer in training mode that is spelled out, from the node that takes the root of variance + epsilon:
 *
 *     (x - mean) gamma / sqrt(variance + epsilon) + beta      or      x k + (beta - mean k)
 *
 * The last node for which the formula holds is its end; gamma and beta may be missing.
 */
export function matchMoments(context: Context, scope: Scope, root: NodeProto): Match | null {
  const under = resolve(scope, root.input[0]);
  const deviation = under && deviationOf(context, origin(under).value);
  const variance = deviation && batchVariance(context, deviation.variance);
  if (!deviation || variance === null) return null;
  let best: Formula | null = null;
  for (const value of following(scope, root)) best = formulaOf(context, value, deviation.sum, variance) ?? best;
  if (best === null) return null;
  const { gamma, beta, output } = best;
  const source = (value: Value): Source => ({ value, read: null, constant: context.constants.of(value) });
  const sources = {
    ...(gamma === null ? {} : { gamma: source(gamma) }),
    ...(beta === null ? {} : { beta: source(beta) }),
    epsilon: source(deviation.epsilon),
  };
  const vectors = [gamma, beta].flatMap((value) => (value === null ? [] : [context.constants.of(value)]));
  const lengths = new Set(vectors.flatMap((each) => (each === null ? [] : [vectorOf(each)?.length ?? 1])));
  if (lengths.size > 1) return null;
  const { reduced, axis } = variance;
  return {
    form: "moments",
    certainty: "certain",
    scope,
    nodes: nodesBetween(context, scope, output, [variance.x, variance.reduced]),
    input: reduced.name,
    output: output.name,
    axis,
    channels: [...lengths][0] ?? context.shapes.get(reduced.scope, reduced.name)?.[axis.axis] ?? null,
    mode: "training",
    epsilon: scalarOf(context, deviation.epsilon),
    momentum: null,
    sources,
    varianceMethod: variance.method,
    steps: [],
    perPosition: false,
  };
}

interface Formula {
  readonly output: Value;
  readonly gamma: Value | null;
  readonly beta: Value | null;
}

/** The formula that a value is, if it is one, with `sum` under the root. */
function formulaOf(context: Context, output: Value, sum: Value, { x }: BatchMoment): Formula | null {
  const terms = termsOf(output);
  if (terms === null || terms.length > 3) return null;
  const inverse: Factor = { value: sum, exponent: -0.5 };
  const scaled: { readonly sign: number; readonly rest: readonly Factor[] }[] = [];
  const others: Value[] = [];
  for (const term of terms) {
    const product = productOf(context, term.value);
    const rest = product && without(product.factors, [inverse]);
    if (product !== null && rest !== null) scaled.push({ sign: term.sign * product.sign, rest });
    else if (term.sign === 1) others.push(term.value);
    else return null;
  }
  if (others.length > 1) return null;
  const beta = others[0] ?? null;
  if (beta !== null && context.constants.of(beta) === null) return null;
  const is = (wanted: (value: Value) => boolean) => (each: Factor) => each.exponent === 1 && wanted(each.value);
  const isMean = is((value) => sameValueOrNull(batchMean(context, value)?.x ?? null, x));
  const isX = is((value) => sameValue(value, x));
  const isDifference = is((value) => isCentred(context, value, x));
  const [first, second] = scaled;
  if (scaled.length === 1 && first.sign === 1) {
    const gamma = rest(first.rest, isDifference);
    return gamma === undefined ? null : { output, gamma, beta };
  }
  if (scaled.length !== 2 || first.sign === second.sign) return null;
  const [positive, negative] = first.sign === 1 ? [first, second] : [second, first];
  const [gamma, same] = [rest(positive.rest, isX), rest(negative.rest, isMean)];
  if (gamma === undefined || same === undefined || !sameValueOrNull(gamma, same)) return null;
  return { output, gamma, beta };
}

/**
 * What is left of a product without its one wanted factor: gamma, or null for nothing; undefined where it is something
 * else.
 */
function rest(factors: readonly Factor[], wanted: (factor: Factor) => boolean): Value | null | undefined {
  const at = factors.findIndex(wanted);
  if (at < 0) return undefined;
  const others = factors.filter((_, k) => k !== at);
  if (others.length > 1 || (others.length === 1 && others[0].exponent !== 1)) return undefined;
  return others[0]?.value ?? null;
}

function isCentred(context: Context, value: Value, x: Value): boolean {
  const node = producerOf(value);
  if (node === null || !isOperator(node, "Sub")) return false;
  const [a, b] = node.input.map((name) => resolve(value.scope, name));
  return !!a && !!b && sameValue(origin(a).value, x) && sameValueOrNull(batchMean(context, b)?.x ?? null, x);
}

function sameValueOrNull(a: Value | null, b: Value | null): boolean {
  return a === null || b === null ? a === b : sameValue(a, b);
}

/** The values after a node through arithmetic, nearest first. */
function following(scope: Scope, node: NodeProto): Value[] {
  const values: Value[] = [];
  const seen = new Set<NodeProto>([node]);
  let frontier = [node];
  while (frontier.length > 0 && seen.size < FARTHEST) {
    const next: NodeProto[] = [];
    for (const at of frontier) {
      for (const use of usesOf({ scope, name: at.output[0] })) {
        if (use.scope !== scope || seen.has(use.node)) continue;
        if (!movesOnly(use.node) && !isOperator(use.node, "Add", "Sub", "Mul", "Div", "Reciprocal", "Neg")) continue;
        seen.add(use.node);
        next.push(use.node);
        if (isOperator(use.node, "Add", "Sub", "Mul", "Div")) values.push({ scope, name: use.node.output[0] });
      }
    }
    frontier = next;
  }
  return values;
}

/** The nodes that compute a value from x and constants, in the order of the file. */
function nodesBetween({ constants }: Context, scope: Scope, output: Value, ends: readonly Value[]): NodeProto[] {
  const found = new Set<NodeProto>();
  const walk = (value: Value): void => {
    const node = producerOf(value);
    if (
      node === null ||
      value.scope !== scope ||
      ends.some((end) => sameValue(value, end)) ||
      found.has(node) ||
      constants.of(value) !== null
    )
      return;
    found.add(node);
    for (const name of node.input) {
      const input = resolve(scope, name);
      if (input !== null) walk(input);
    }
  };
  walk(output);
  return scope.nodes.filter((node) => found.has(node));
}
