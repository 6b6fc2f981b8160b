import type { NodeProto } from "../proto/index.ts";
import { intsAttribute } from "./attribute.ts";
import type { Constants } from "./constants.ts";
import { isPermutation } from "./evaluate-moves.ts";
import { isOperator, producerOf, resolve, type Scope, type Value } from "./scope.ts";
import { axesOf, type PartialShape, reshapeTarget, type Shapes } from "./shapes.ts";

/** What is asked of a graph besides its names. */
export interface Context {
  readonly constants: Constants;
  readonly shapes: Shapes;
}

/** One axis of a value: counted from the front where the rank is known, from the end (negative) where it is not. */
export interface Axis {
  readonly axis: number;
  readonly rank: number | null;
}

/** An axis, counted from the front if the rank is known by now. */
export function axisAt(axis: number, rank: number | null): Axis {
  return { axis: rank !== null && axis < 0 ? axis + rank : axis, rank };
}

/** Whether two descriptions of an axis of one value are of the same axis. */
export function sameAxis(a: Axis, b: Axis): boolean {
  const rank = a.rank ?? b.rank;
  return axisAt(a.axis, rank).axis === axisAt(b.axis, rank).axis;
}

/** Operators that move, merge or split axes, or do nothing, and change no number. */
const MOVING: ReadonlySet<string> = new Set([
  "Identity",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Reshape",
  "Flatten",
  "Cast",
  "Dropout",
  "Expand",
]);

/**
 * Whether the node gives its first input back, differently arranged. A Cast is of this kind as far as values go; types
 * are for others to judge.
 */
export function movesOnly(node: NodeProto): boolean {
  return isOperator(node, ...MOVING);
}

/** A value without the nodes that only move it: what it was, and through which nodes it came. */
export function origin(value: Value): { readonly value: Value; readonly through: readonly NodeProto[] } {
  const through: NodeProto[] = [];
  let at = value;
  for (let node = producerOf(at); node !== null && movesOnly(node) && node.output[0] === at.name; node = producerOf(at)) {
    const before = resolve(at.scope, node.input[0]);
    if (before === null) break;
    through.push(node);
    at = before;
  }
  return { value: at, through };
}

/** Whether two values are one. */
export function sameValue(a: Value, b: Value): boolean {
  return a.scope === b.scope && a.name === b.name;
}

/**
 * Which axis of the input of a moving node becomes `axis` of its output, with all of its entries in order; null where
 * none does or where that cannot be told.
 */
export function axisBefore({ constants, shapes }: Context, scope: Scope, node: NodeProto, axis: Axis): Axis | null {
  const x = shapes.get(scope, node.input[0] ?? "");
  const y = shapes.get(scope, node.output[0] ?? "");
  const rank = axis.rank ?? y?.length ?? null;
  const at = axisAt(axis.axis, rank);
  switch (node.opType) {
    case "Identity":
    case "Cast":
      return at;
    case "Transpose": {
      const perm = intsAttribute(scope, node, "perm") ?? x?.map((_, k) => x.length - 1 - k);
      if (perm === undefined || !isPermutation(perm, perm.length)) return null;
      const from = perm[axisAt(axis.axis, perm.length).axis];
      return from === undefined ? null : { axis: from, rank: perm.length };
    }
    case "Squeeze": {
      const axes = axesOf(constants, scope, node);
      if (axes === null || rank === null) return null;
      const before = rank + axes.length;
      const gone = axes.map((each) => (each < 0 ? each + before : each));
      const kept = Array.from({ length: before }, (_, k) => k).filter((k) => !gone.includes(k));
      return { axis: kept[at.axis], rank: before };
    }
    case "Unsqueeze": {
      const axes = axesOf(constants, scope, node);
      const after = rank ?? (x !== null && axes !== null ? x.length + axes.length : null);
      if (axes === null || after === null) return null;
      const added = axes.map((each) => (each < 0 ? each + after : each));
      const { axis: k } = axisAt(axis.axis, after);
      return added.includes(k) ? null : { axis: k - added.filter((each) => each < k).length, rank: after - axes.length };
    }
    case "Reshape": {
      const target = reshapeTarget(constants, scope, node);
      return x === null || target === null ? null : unsplit(x, target, axisAt(axis.axis, target.length).axis);
    }
    default:
      return null;
  }
}

/**
 * The axis of x that a reshape keeps as axis `at` of its result: equally long, with the same axes before it, or as many
 * elements after it.
 */
function unsplit(x: PartialShape, target: readonly number[], at: number): Axis | null {
  // A 0 takes over the dimension of the input.
  const y = target.map((dimension, k) => (dimension > 0 ? dimension : dimension === 0 ? (x[k] ?? null) : null));
  const length = y[at];
  if (length === null || length === undefined) return null;
  for (const [k, dimension] of x.entries()) {
    if (dimension !== length) continue;
    const before = k === at && target.slice(0, at).every((each, i) => each === 0 || each === x[i]);
    const after = product(x.slice(k + 1));
    if (before || (after !== null && after === product(y.slice(at + 1)))) return { axis: k, rank: x.length };
  }
  return null;
}

function product(shape: PartialShape): number | null {
  return shape.reduce<number | null>((size, each) => (size === null || each === null ? null : size * each), 1);
}
