import { BatchNormError } from "@batchnorm/spec";
import type { BatchNormJSON } from "@batchnorm/spec/convert";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import { describe, nodeName } from "../find/find.ts";
import type { FoldedTrace, FoundLayer, Lookalike } from "../find/layer.ts";
import { ARRAY_NAMES, type ArrayName, type Match } from "../find/match.ts";
import { type Analysis, analyse } from "../find/matches.ts";
import { planFold } from "../fold/plan.ts";
import { type FoldReason, isRefusal } from "../fold/reason.ts";
import { allScopes } from "../graph/build-scopes.ts";
import type { Numbers } from "../graph/constant.ts";
import type { Value } from "../graph/scope.ts";
import { origin } from "../graph/trace.ts";
import { type FilledLayer, matchStates, type NamedState, readAll } from "../states/fill-states.ts";
import { arrayFindings, median, short } from "./array-findings.ts";
import { type Finding, finding } from "./finding.ts";
import { runtimeFaults } from "./runtime-faults.ts";
import { DEFAULT_EPSILONS, NEWEST_OPSET } from "./thresholds.ts";
import { type FilledPart, fillLayer, unmatchedFindings, weightsFindings } from "./weights-findings.ts";

/** An array at a glance. The numbers are of its finite entries; null where there are none. */
export interface ArraySummary {
  readonly smallest: number | null;
  readonly median: number | null;
  readonly largest: number | null;
  /** How many entries are NaN or infinite. */
  readonly nonFinite: number;
}

/** Whether `fold` would fold a layer. Weights are not read for this: one that overflows is found when it is folded. */
export type Foldable =
  | { readonly possible: true; readonly direction: "backward" | "forward"; readonly into: string; readonly operator: string }
  | { readonly possible: false; readonly code: FoldReason; readonly why: string };

/** A layer as the report has it: what `find` says but for the arrays themselves. */
export interface InspectedLayer extends Omit<FoundLayer, "parameters" | "statistics" | "affine"> {
  /** Arrays that can be read; null for the others. */
  readonly arrays: Readonly<Record<ArrayName, ArraySummary | null>>;
  /**
   * Where a weight file was given: the name of the layer's state there, and what of the layer it filled in. Null
   * without.
   */
  readonly weights: (Pick<FilledLayer, "state" | "matchedBy" | "agrees"> & { readonly filled: readonly FilledPart[] }) | null;
  readonly fold: Foldable;
}

/** What a model is, and what is in it. Plain data: `JSON.stringify` keeps all of it. */
export interface InspectReport {
  readonly model: {
    readonly producer: string;
    readonly producerVersion: string;
    readonly irVersion: number;
    readonly opset: number;
    /** Nodes in all graphs, and in all functions once a call. */
    readonly nodes: number;
  };
  readonly layers: readonly InspectedLayer[];
  readonly lookalikes: readonly Lookalike[];
  readonly traces: readonly FoldedTrace[];
  /** In the order of the layers; those of the model come last. */
  readonly findings: readonly Finding[];
}

export interface InspectOptions {
  /**
   * The states of a weight file by their names there. They fill in what the model's file lacks, and are checked against
   * what it has: k must be gamma / sqrt(variance + epsilon).
   */
  readonly states?: Readonly<Record<string, BatchNormJSON>>;
}

/**
 * Looks into a model: a table of its batch normalizations, and findings in words, each with a stable code. Nothing is
 * executed, and only the arrays of layers are read.
 *
 * @throws BatchNormError `invalid-argument` for options; what `find` and `fillStates` throw.
 */
export async function inspect(model: OnnxModel, options: InspectOptions = {}): Promise<InspectReport> {
  const { states, ...rest } = options;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new BatchNormError("invalid-argument", "inspect has no such option", unknown, "states");
  const known = states === undefined ? null : readAll(states);
  return complete(model, () => report(model, known));
}

function report(model: OnnxModel, known: readonly NamedState[] | null): InspectReport {
  const analysis = analyse(model.proto, model.external);
  const { layers: own, lookalikes, traces } = describe(analysis);
  const match = known === null ? null : matchStates(own, known);
  const fillings = new Map(match?.filled.map((each) => [each.layer, each]));
  const filled = own.map((layer) => {
    const filling = fillings.get(layer.name);
    return filling === undefined ? { layer, filled: [], filling: null } : { ...fillLayer(layer, filling), filling };
  });
  const layers = filled.map(({ layer }) => layer);
  const { producerName, producerVersion, irVersion } = model.proto;
  const { root, matches } = analysis;
  const shared = sharedTensors(analysis);
  const findings = layers.flatMap((layer, k) => {
    const { filling } = filled[k];
    // Checked against what the file itself has.
    const ofWeights = filling === null ? [] : weightsFindings(own[k], filling);
    return [...findingsOf(analysis, layer, matches[k], shared, producerName), ...ofWeights];
  });
  const nodes = [...allScopes(root)].reduce((sum, scope) => sum + scope.nodes.length, 0);
  return {
    model: { producer: producerName, producerVersion, irVersion: Number(irVersion), opset: root.opset, nodes },
    layers: layers.map((layer, k) => inspected(analysis, layer, matches[k], weightsOf(filled[k]))),
    lookalikes,
    traces,
    findings: [...findings, ...(match === null ? [] : unmatchedFindings(match)), ...modelFindings(analysis, lookalikes)],
  };
}

function weightsOf({ filling, filled }: { filling: FilledLayer | null; filled: readonly FilledPart[] }): InspectedLayer["weights"] {
  return filling && { state: filling.state, matchedBy: filling.matchedBy, agrees: filling.agrees, filled };
}

function inspected(analysis: Analysis, layer: FoundLayer, match: Match, weights: InspectedLayer["weights"]): InspectedLayer {
  const { parameters, statistics, affine: _, ...rest } = layer;
  const arrays = { ...parameters, ...statistics };
  const summaries = Object.fromEntries(ARRAY_NAMES.map((name) => [name, arrays[name] && summaryOf(arrays[name])]));
  return { ...rest, arrays: summaries as InspectedLayer["arrays"], weights, fold: foldable(analysis, match) };
}

function foldable(analysis: Analysis, match: Match): Foldable {
  const plan = planFold(analysis, match);
  if (isRefusal(plan)) return { possible: false, ...plan };
  return { possible: true, direction: plan.direction, into: nodeName(plan.scope, plan.linear), operator: plan.linear.opType };
}

function summaryOf(values: Numbers): ArraySummary {
  const finite = values.filter(Number.isFinite) as Numbers;
  const sorted = finite.slice().sort();
  const none = sorted.length === 0;
  return {
    smallest: none ? null : sorted[0],
    median: none ? null : median(sorted),
    largest: none ? null : sorted[sorted.length - 1],
    nonFinite: values.length - finite.length,
  };
}

function findingsOf(analysis: Analysis, layer: FoundLayer, match: Match, shared: ReadonlyMap<Match, string>, producer: string): Finding[] {
  const { name, mode, momentum, form } = layer;
  const found: Finding[] = [];
  if (mode === "training") {
    const how = form === "BatchNormalization" ? "by its attribute or outputs" : "with the mean and variance of the batch";
    found.push(
      finding("training-mode", name, `The layer is in training mode, ${how}: its result depends on the other samples of the batch.`),
    );
  }
  if (layer.perPosition) found.push(finding("not-spatial", name, "spatial is 0: every position has statistics of its own."));
  const computed = ARRAY_NAMES.filter((array) => layer.missing[array] === "computed");
  if (computed.length > 0) found.push(finding("not-constant", name, `Computed or given at run time: ${computed.join(", ")}.`));
  if (layer.overridable)
    found.push(finding("overridable", name, "The layer's arrays are graph inputs with defaults: a caller may feed others."));
  found.push(...arrayFindings(layer));
  const sharing = shared.get(match);
  if (sharing !== undefined) found.push(finding("shared-tensor", name, `One tensor serves twice: ${sharing}.`));
  if (momentum === 1) found.push(finding("momentum-1", name, "momentum is 1: training on would never move the statistics."));
  const foreign = foreignEpsilon(layer, producer);
  if (foreign !== null) found.push(foreign);
  for (const fault of runtimeFaults(analysis, match)) found.push(finding("runtime-fault", name, fault.sentence, [], fault.reference));
  return found;
}

function foreignEpsilon({ name, epsilon }: FoundLayer, producer: string): Finding | null {
  const [, framework, own] = DEFAULT_EPSILONS.find(([pattern]) => pattern.test(producer)) ?? [];
  const other = DEFAULT_EPSILONS.find(([, , value]) => value !== own && epsilon === Math.fround(value));
  if (framework === undefined || other === undefined) return null;
  const sentence = `epsilon is ${short(epsilon!)}, the default of ${other[1]}, in a file from ${framework}, whose default is ${own}.`;
  return finding("foreign-epsilon", name, sentence);
}

/** For every layer that reads a tensor which is another array, too, in words what that is. */
function sharedTensors({ matches, names }: Analysis): ReadonlyMap<Match, string> {
  const readers = new Map<Value["scope"], Map<string, { match: Match; label: string }[]>>();
  for (const [k, match] of matches.entries()) {
    for (const name of ARRAY_NAMES) {
      const source = match.sources[name];
      if (!source?.constant) continue;
      const { scope, name: tensor } = origin(source.value).value;
      const inScope = readers.get(scope) ?? new Map<string, { match: Match; label: string }[]>();
      readers.set(scope, inScope);
      inScope.set(tensor, [...(inScope.get(tensor) ?? []), { match, label: `${name} of ${names[k]}` }]);
    }
  }
  const shared = new Map<Match, string>();
  for (const inScope of readers.values()) {
    for (const [tensor, users] of inScope) {
      if (users.length < 2) continue;
      const who = users.slice(0, 4).map(({ label }) => label);
      for (const { match } of users)
        if (!shared.has(match)) shared.set(match, `${JSON.stringify(tensor)} is ${who.join(", ")}${users.length > 4 ? " and more" : ""}`);
    }
  }
  return shared;
}

function modelFindings({ root }: Analysis, lookalikes: readonly Lookalike[]): Finding[] {
  const found: Finding[] = [];
  for (const { nodes } of lookalikes.filter(({ code }) => code === "unknown-operator")) {
    found.push(
      finding(
        "unknown-operator",
        null,
        `The node ${JSON.stringify(nodes[0])} is an operator of another domain that speaks of batch normalization.`,
      ),
    );
  }
  if (root.opset > NEWEST_OPSET) {
    found.push(
      finding("newer-opset", null, `The model is of opset ${root.opset}; this package was written for opsets up to ${NEWEST_OPSET}.`),
    );
  }
  return found;
}
