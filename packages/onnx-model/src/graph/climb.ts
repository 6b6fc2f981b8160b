import type { NodeProto } from "../proto/index.ts";
import { isOperator, producerOf, resolve, type Scope, type Value } from "./scope.ts";
import { type Axis, axisAt, axisBefore, type Context, movesOnly } from "./trace.ts";

/** The operators that a layer can be folded into. */
export function isLinear(node: NodeProto): boolean {
  return isOperator(node, "Conv", "ConvTranspose", "Gemm", "MatMul");
}

/** What was reached on the way up. */
export interface Climb {
  /** The first node that does more than move or add a constant; null at an input of the scope or a constant. */
  readonly node: NodeProto | null;
  /** The value that it computes. */
  readonly value: Value;
  /** Where the axis lies in that value; null where it was split, merged or lost. */
  readonly axis: Axis | null;
  /** The nodes on the way, nearest to the start first. */
  readonly passed: readonly NodeProto[];
  /** For each of those where the axis lies in what it gives. */
  readonly axes: ReadonlyMap<NodeProto, Axis | null>;
}

/** From a value upward through nodes that move axes or add a constant, within one scope, keeping an eye on one axis. */
export function climb(context: Context, scope: Scope, name: string, axis: Axis): Climb {
  const passed: NodeProto[] = [];
  const axes = new Map<NodeProto, Axis | null>();
  let at: Axis | null = axis;
  let value = resolve(scope, name);
  if (value === null) return { node: null, value: { scope, name }, axis, passed, axes };
  for (;;) {
    const node: NodeProto | null = value.scope === scope ? producerOf(value) : null;
    // The mask of a Dropout is none of its data.
    const isData: boolean = node !== null && node.output[0] === value.name;
    const next: string | null =
      isData && node !== null ? (biasedInput(context, scope, node) ?? (movesOnly(node) ? node.input[0] : null)) : null;
    const before: Value | null = next === null ? null : resolve(scope, next);
    if (node === null || before === null) return { node, value, axis: at, passed, axes };
    passed.push(node);
    axes.set(node, at);
    if (at !== null) at = movesOnly(node) ? axisBefore(context, scope, node, at) : keepsRank(context, scope, node, at) ? at : null;
    value = before;
  }
}

/** What a node adds a constant to, or null. */
export function biasedInput({ constants }: Context, scope: Scope, node: NodeProto): string | null {
  if (!isOperator(node, "Add") || node.input.length !== 2) return null;
  const [a, b] = node.input.map((name) => constants.get(scope, name) !== null);
  return a === b ? null : node.input[a ? 1 : 0];
}

/**
 * Whether an axis of what an Add gives is the same axis of its data: a constant with more axes puts some in front.
 * Counted from the end an axis stays where it is.
 */
function keepsRank({ constants, shapes }: Context, scope: Scope, node: NodeProto, axis: Axis): boolean {
  const [a, b] = node.input.map((name) => constants.get(scope, name)?.dims.length ?? null);
  const added = a ?? b ?? 0;
  const rank = shapes.get(scope, node.input[a === null ? 0 : 1])?.length ?? null;
  return axis.axis < 0 || (rank === null ? added <= 1 : added <= rank);
}

/** The axis along which a linear node's outputs are channels of their own, in its output. */
export function channelAxis({ constants, shapes }: Context, scope: Scope, node: NodeProto): Axis {
  const rank = shapes.get(scope, node.output[0])?.length ?? null;
  if (!isOperator(node, "MatMul")) return axisAt(1, rank ?? (isOperator(node, "Gemm") ? 2 : null));
  // With the constant on the left its rows are the channels, and the rows of the result.
  const left = constants.get(scope, node.input[0]) !== null && constants.get(scope, node.input[1] ?? "") === null;
  return axisAt(left ? -2 : -1, rank);
}
