import { domainOf, producerOf, resolve, type Scope, usesOf } from "../graph/scope.ts";
import { type Context, movesOnly } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { isFloat } from "../tensor/element-type.ts";
import { vectorOf } from "./factors.ts";
import type { Step } from "./match.ts";

/** Steps one after the other on one value, with nothing else reading what is between them. */
export interface Chain {
  readonly steps: readonly Step[];
  /** For every step the nodes between the one before and itself that only cast or copy. */
  readonly links: readonly (readonly NodeProto[])[];
}

/**
 * All maximal chains of elementwise operations with constants per channel, such as Sub, Mul, Add.
 *
 * `taken` are nodes that belong to a layer already.
 */
export function chainsOf(context: Context, scope: Scope, taken: ReadonlySet<NodeProto>): Chain[] {
  const steps = new Map<NodeProto, Step>();
  for (const node of scope.nodes) {
    const step = taken.has(node) ? null : stepOf(context, scope, node);
    if (step !== null) steps.set(node, step);
  }
  const after = new Map<NodeProto, { readonly node: NodeProto; readonly through: readonly NodeProto[] }>();
  const isAfter = new Set<NodeProto>();
  for (const node of steps.keys()) {
    const next = nextStep(scope, node, steps);
    if (next === null) continue;
    after.set(node, next);
    isAfter.add(next.node);
  }
  return [...steps.keys()]
    .filter((node) => !isAfter.has(node))
    .map((head) => {
      const chain: Step[] = [steps.get(head)!];
      const links: (readonly NodeProto[])[] = [[]];
      for (let next = after.get(head); next !== undefined; next = after.get(next.node)) {
        chain.push(steps.get(next.node)!);
        links.push(next.through);
      }
      return { steps: chain, links };
    });
}

/** A node as x and a constant along one axis; a number for all channels is no step. */
function stepOf({ constants }: Context, scope: Scope, node: NodeProto): Step | null {
  const { opType } = node;
  if ((opType !== "Add" && opType !== "Sub" && opType !== "Mul" && opType !== "Div") || domainOf(node) !== "" || node.input.length !== 2)
    return null;
  const [a, b] = node.input.map((name) => constants.get(scope, name));
  // Both: arithmetic on constants. None: arithmetic on data.
  if ((a === null) === (b === null)) return null;
  const index = a === null ? 1 : 0;
  const constant = (a ?? b)!;
  // constant - x and constant / x are no step of the layer.
  if ((index === 0 && (opType === "Sub" || opType === "Div")) || !isFloat(constant.type) || scope.opset < 7) return null;
  // A layer of one channel has a constant of one element, but is told from a number by its dimensions alone.
  if (vectorOf(constant) === null && !(constant.dims.length > 0 && constant.dims.every((dimension) => dimension === 1))) return null;
  return { node, operation: opType, index, constant };
}

/** The step that alone reads what this one gives, directly or through nodes that copy or cast. */
function nextStep(scope: Scope, node: NodeProto, steps: ReadonlyMap<NodeProto, Step>) {
  const through: NodeProto[] = [];
  let name = node.output[0];
  for (;;) {
    const uses = usesOf({ scope, name });
    if (uses.length !== 1 || scope.outputs.has(name) || uses[0].scope !== scope) return null;
    const { node: reader, index } = uses[0];
    const step = steps.get(reader);
    if (step !== undefined) return step.index === index ? null : { node: reader, through };
    if (!movesOnly(reader) || (reader.opType !== "Cast" && reader.opType !== "Identity")) return null;
    through.push(reader);
    name = reader.output[0];
  }
}

/** The name of x as the first step reads it. */
export function inputOf(step: Step): string {
  return step.node.input[1 - step.index];
}

/** The node that computes x, if it lies in the same scope. */
export function producerOfInput(scope: Scope, step: Step): NodeProto | null {
  const value = resolve(scope, inputOf(step));
  return value === null || value.scope !== scope ? null : producerOf(value);
}

/** A stretch of a chain that has the form of a layer. */
export interface Segment {
  readonly steps: readonly Step[];
  readonly nodes: readonly NodeProto[];
}

/**
 * Cuts a chain into layers, from the left: `Mul+ Add` or `Sub Mul+ Add?`, with Div for Mul and, at the end, Sub for
 * Add. An Add in front is a bias of what comes before. All constants lie along one axis.
 */
export function segmentsOf({ steps, links }: Chain): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  while (at < steps.length) {
    const length = matchLength(steps, at);
    if (length === 0) {
      at += 1;
      continue;
    }
    const end = at + length;
    const nodes = steps.slice(at, end).flatMap((step, k) => (k === 0 ? [step.node] : [...links[at + k], step.node]));
    segments.push({ steps: steps.slice(at, end), nodes });
    at = end;
  }
  return segments;
}

/** At most the inverse deviation and gamma: a third factor is somebody else's. */
const MOST_FACTORS = 2;

function matchLength(steps: readonly Step[], from: number): number {
  const fits = (k: number): boolean => k < steps.length && alongSameAxis(steps[from], steps[k]);
  const isFactor = (k: number): boolean => fits(k) && (steps[k].operation === "Mul" || steps[k].operation === "Div");
  const centred = steps[from].operation === "Sub";
  let at = from + (centred ? 1 : 0);
  let factors = 0;
  while (factors < MOST_FACTORS && isFactor(at)) {
    at += 1;
    factors += 1;
  }
  if (factors === 0) return 0;
  const isShift = fits(at) && (steps[at].operation === "Add" || steps[at].operation === "Sub");
  if (isShift) return at + 1 - from;
  return centred ? at - from : 0;
}

function alongSameAxis(a: Step, b: Step): boolean {
  const [left, right] = [vectorOf(a.constant), vectorOf(b.constant)];
  if (left === null || right === null) return left === right;
  return left.length === right.length && left.fromEnd === right.fromEnd;
}
