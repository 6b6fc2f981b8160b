import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import { producerOf, resolve, type Scope, usesOf } from "../graph/scope.ts";
import { axisAt } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { affineOf, arraysOf } from "./affine.ts";
import type { FindResult, FoundLayer, MissingReason, Neighbour } from "./layer.ts";
import { ARRAY_NAMES, type ArrayName, type Match } from "./match.ts";
import { type Analysis, analyse } from "./matches.ts";
import { viewOf } from "./operator.ts";

/**
 * Finds every batch normalization of a model, in whatever form: as a node, spelled out, in branches and functions, in
 * training mode; what was folded into other nodes before; and what looks like one and is none. Only the arrays of
 * layers are read.
 *
 * @throws BatchNormError `invalid-file`, also for a BatchNormalization that no runtime takes.
 */
export async function find(model: OnnxModel): Promise<FindResult> {
  return complete(model, () => describe(analyse(model.proto, model.external)));
}

/** The result of `find`, of a model whose data is at hand. */
export function describe(analysis: Analysis): FindResult {
  const { matches, names, lookalikes, traces } = analysis;
  return {
    layers: matches.map((match, k) => layerOf(analysis, match, names[k])),
    lookalikes: lookalikes.map(({ code, scope, nodes }) => ({
      code,
      scope: scope.path,
      nodes: nodes.map((node) => nodeName(scope, node)),
    })),
    traces: traces.map(({ scope, node, evidence, says }) => ({
      scope: scope.path,
      node: nodeName(scope, node),
      operator: node.opType,
      evidence,
      says,
    })),
  };
}

/** A node as people are told of it. */
export function nodeName(scope: Scope, node: NodeProto): string {
  return node.name || `${node.opType}_${scope.nodes.indexOf(node)}`;
}

function layerOf({ context }: Analysis, match: Match, name: string): FoundLayer {
  const { scope } = match;
  const view = match.steps.length === 0 ? viewOf(context, match) : null;
  const input = view === null ? match.input : view.input.name;
  const rank = view === null ? match.axis.rank : (context.shapes.get(scope, input)?.length ?? null);
  const { gamma, beta, movingMean, movingVariance } = arraysOf(match);
  return {
    name,
    form: match.form,
    certainty: match.certainty,
    scope: scope.path,
    nodes: match.nodes.map((node) => nodeName(scope, node)),
    opset: scope.opset,
    // The axis of a view is what the writer of the file called it, -1 included.
    axis: view === null ? axisAt(match.axis.axis, rank).axis : view.axis.axis,
    rank,
    channels: match.channels,
    epsilon: match.epsilon,
    momentum: match.momentum,
    mode: match.mode,
    input: { value: input, from: before(scope, input, context.constants.get(scope, input) !== null) },
    output: { value: match.output, to: after(scope, match.output) },
    parameters: { gamma, beta },
    statistics: { movingMean, movingVariance },
    missing: missingOf(match),
    affine: affineOf(match),
    perPosition: match.perPosition,
    overridable: isOverridable(match),
  };
}

/** Whether a constant of the layer is one that a caller may replace. */
export function isOverridable({ sources, steps }: Match): boolean {
  return [...Object.values(sources), ...steps].some(({ constant }) => constant?.overridable ?? false);
}

function missingOf(match: Match): Partial<Record<ArrayName, MissingReason>> {
  const missing: Partial<Record<ArrayName, MissingReason>> = {};
  for (const name of ARRAY_NAMES) {
    const source = match.sources[name];
    if (source !== undefined) {
      if (source.constant === null) missing[name] = "computed";
    } else if (match.mode === "training") {
      missing[name] = name === "gamma" || name === "beta" ? "absent" : "batch-statistics";
    } else missing[name] = match.form === "unfolded" ? "absent" : "folded-into-constants";
  }
  return missing;
}

function before(scope: Scope, name: string, isConstant: boolean): Neighbour {
  const value = resolve(scope, name);
  if (value === null) return { kind: "input", name, operator: null };
  const node = producerOf(value);
  if (isConstant) return { kind: "constant", name: value.name, operator: null };
  if (node !== null) return { kind: value.scope === scope ? "node" : "outside", name: nodeName(value.scope, node), operator: node.opType };
  return { kind: value.scope === scope ? "input" : "outside", name: value.name, operator: null };
}

function after(scope: Scope, name: string): Neighbour[] {
  const uses = usesOf({ scope, name });
  const holders = new Set(uses.map(({ holder }) => holder));
  const nodes: Neighbour[] = [...holders].map((node) => ({ kind: "node", name: nodeName(scope, node), operator: node.opType }));
  return scope.outputs.has(name) ? [...nodes, { kind: "output", name, operator: null }] : nodes;
}
