import type { ExternalData } from "../file/external.ts";
import { allScopes, buildScopes } from "../graph/build-scopes.ts";
import { channelAxis, climb, isLinear } from "../graph/climb.ts";
import { Constants } from "../graph/constants.ts";
import { domainOf, isOperator, producerOf, resolve, type Scope } from "../graph/scope.ts";
import type { PartialShape } from "../graph/shapes.ts";
import { type Axis, axisAt, type Context, sameAxis } from "../graph/trace.ts";
import type { ModelProto, NodeProto } from "../proto/index.ts";
import { chainsOf, inputOf, type Segment, segmentsOf } from "./chain.ts";
import { productOf, vectorOf } from "./factors.ts";
import type { Certainty, LookalikeMatch, Match } from "./match.ts";
import { matchMoments } from "./moments.ts";
import { nameLayers, namesOf, saysBatchNorm } from "./names.ts";
import { matchOperator } from "./operator.ts";
import { type TraceMatch, tracesOf } from "./traces.ts";
import { unfoldedSources } from "./unfolded.ts";

/** Everything that was found in a model, with what a change of it needs. */
export interface Analysis {
  readonly root: Scope;
  readonly context: Context;
  readonly matches: readonly Match[];
  /** One for each match. */
  readonly names: readonly string[];
  readonly lookalikes: readonly LookalikeMatch[];
  readonly traces: readonly TraceMatch[];
}

/** Looks through the main graph, all branches, and the functions of every call. */
export function analyse(proto: ModelProto, external: ExternalData): Analysis {
  const root = buildScopes(proto);
  const constants = new Constants(external);
  const context = { constants, shapes: constants.shapes };
  const found = [...allScopes(root)].map((scope) => analyseScope(context, scope));
  const matches = found.flatMap((each) => each.matches);
  return {
    root,
    context,
    matches,
    names: nameLayers(matches),
    lookalikes: found.flatMap((each) => each.lookalikes),
    traces: found.flatMap((each) => each.traces),
  };
}

function analyseScope(context: Context, scope: Scope): Pick<Analysis, "matches" | "lookalikes" | "traces"> {
  const matches: Match[] = [];
  const lookalikes: LookalikeMatch[] = [];
  const taken = new Set<NodeProto>();
  const add = (found: Match | LookalikeMatch): void => {
    if ("form" in found) matches.push(found);
    else lookalikes.push(found);
    for (const node of found.nodes) taken.add(node);
  };
  for (const node of scope.nodes) {
    if (isOperator(node, "BatchNormalization")) add(matchOperator(context, scope, node));
    else if (domainOf(node) !== "" && saysBatchNorm(node.opType) && !scope.inner.has(node)) {
      add({ code: "unknown-operator", scope, nodes: [node] });
    }
  }
  for (const node of scope.nodes) {
    if (taken.has(node) || !isOperator(node, "Sqrt", "Pow")) continue;
    const match = matchMoments(context, scope, node);
    if (match !== null) add(match);
  }
  for (const chain of chainsOf(context, scope, taken)) {
    for (const segment of segmentsOf(chain)) {
      const found = judge(context, scope, segment);
      if (found !== null) add(found);
    }
  }
  const position = new Map(scope.nodes.map((node, k) => [node, k]));
  matches.sort((a, b) => position.get(a.nodes[0])! - position.get(b.nodes[0])!);
  return { matches, lookalikes, traces: tracesOf(scope) };
}

const NORMALIZATIONS =
  "InstanceNormalization LayerNormalization GroupNormalization MeanVarianceNormalization LpNormalization LRN RMSNormalization".split(" ");

/** A scale and shift per channel: a layer, or what looks like one. */
function judge(context: Context, scope: Scope, segment: Segment): Match | LookalikeMatch | null {
  const { steps, nodes } = segment;
  const [first] = steps;
  const input = inputOf(first);
  const vector = vectorOf(first.constant);
  const rank = context.shapes.get(scope, input)?.length ?? null;
  // Constants of more axes than x give the output an axis that x does not have: no normalization does.
  if (rank !== null && steps.some(({ constant }) => constant.dims.length > rank)) return null;
  const named = namesOf({ nodes, sources: {}, steps }).some(saysBatchNorm);
  const sources = unfoldedSources(context, scope, steps);
  const shifted = steps[steps.length - 1].operation === "Add" || steps[steps.length - 1].operation === "Sub";
  const centred = first.operation === "Sub";
  const shape = context.shapes.get(scope, input);
  const only = vector === null ? onlyChannel(shape, steps) : null;
  // One channel: a name, a formula, or three constants of x's rank on an x of one channel tell it from numbers.
  if (vector === null && !named && sources === null && !(only !== null && centred && shifted)) return null;
  const axis = axisAt(vector === null ? (only ?? -1) : -vector.fromEnd, rank);
  if (axis.axis === 0 || (rank !== null && axis.axis < 0)) return null;
  const { node: before, value, axis: axisThere } = climb(context, scope, input, axis);
  const lookalike = (code: LookalikeMatch["code"]): LookalikeMatch => ({ code, scope, nodes });
  if (before !== null && (isOperator(before, ...NORMALIZATIONS) || isNormalized(context, scope, before)))
    return lookalike("other-normalization");
  const afterLinear = before !== null && isLinear(before);
  if (afterLinear && axisThere !== null && vector !== null && !sameAxis(axisThere, channelAxis(context, scope, before)))
    return lookalike("other-axis");
  // Without a beta, (x - mean) / deviation of the model's own input is how pictures are prepared.
  const atDoor = before === null && value.scope.kind === "graph" && value.scope.given.has(value.name);
  if (centred && !shifted && sources === null && !named) return atDoor ? lookalike("input-scaling") : afterLinear ? match("likely") : null;
  return match(sources !== null || named ? "certain" : afterLinear ? "likely" : "possible");

  function match(certainty: Certainty): Match {
    const read = (step: (typeof steps)[number]) => ({
      value: resolve(scope, step.node.input[step.index])!,
      read: { node: step.node, index: step.index },
      constant: step.constant,
    });
    const folded = centred ? { movingMean: read(first), ...(shifted ? { beta: read(steps[steps.length - 1]) } : {}) } : {};
    return {
      form: sources !== null ? "unfolded" : centred ? "Sub+Mul+Add" : "Mul+Add",
      certainty,
      scope,
      nodes,
      input,
      output: nodes[nodes.length - 1].output[0],
      axis: axis as Axis,
      channels: vector?.length ?? 1,
      mode: "inference",
      epsilon: sources?.epsilon?.constant?.read()?.[0] ?? null,
      momentum: null,
      sources: sources ?? folded,
      steps,
      perPosition: false,
    };
  }
}

/**
 * The axis of an only channel: the last one or the one after the batch, if it is known to have one entry and the
 * constants have x's rank.
 */
function onlyChannel(shape: PartialShape | null, steps: Segment["steps"]): number | null {
  if (shape === null || shape.length < 3 || steps.some(({ constant }) => constant.dims.length !== shape.length)) return null;
  return [shape.length - 1, 1].find((axis) => shape[axis] === 1) ?? null;
}

/** Whether a value is divided by a deviation of itself: what then scales and shifts belongs to that normalization. */
function isNormalized(context: Context, scope: Scope, node: NodeProto): boolean {
  if (!isOperator(node, "Mul", "Div")) return false;
  const product = productOf(context, { scope, name: node.output[0] });
  const isDeviation = ({ value, exponent }: { value: { scope: Scope; name: string }; exponent: number }): boolean =>
    Math.abs(exponent) === 0.5 && context.constants.of(value) === null && producerOf(value) !== null;
  return product?.factors.some(isDeviation) ?? false;
}
