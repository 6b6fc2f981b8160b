import { type Draft, removeAttribute, setIntAttribute } from "../edit/draft.ts";
import type { Match } from "../find/match.ts";
import { isCalledTwice } from "../graph/build-scopes.ts";
import { isOperator, type Scope, usesOf } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/** Before this opset `is_test` said the mode; then the number of outputs, and from opset 14 on `training_mode`. */
const FIRST_MODE_BY_OUTPUTS = 7;

/** Why a layer in training mode was not frozen. */
export type FreezeReason =
  | "no-statistics" // its form computes mean and variance from the batch, and the file has no others
  | "saved-statistics" // something reads the batch's own mean or variance, which inference does not compute
  | "branch-output" // a running statistic is an output of a branch, whose number of outputs is fixed
  | "in-function"; // its node belongs to a function that is called more than once

type Outcome = { readonly removedOutputs: readonly string[] } | { readonly code: FreezeReason; readonly why: string };

/**
 * Freezes one node. Its outputs are y, the running mean and variance, and before opset 14 the batch's mean and
 * variance.
 *
 * Source: ONNX operators, `BatchNormalization`, versions 6, 7, 9, 14 and 15.
 */
export function freezeOperator(draft: Draft, root: Scope, match: Match): Outcome {
  const { scope } = match;
  const [node] = match.nodes;
  if (isCalledTwice(root, scope)) {
    return { code: "in-function", why: "The layer lies in a function that is called more than once: all calls share its nodes." };
  }
  const running = [1, 2].filter((k) => node.output[k]);
  const saved = node.output.slice(3).filter((name) => name !== "");
  if (saved.some((name) => scope.outputs.has(name) || usesOf({ scope, name }).length > 0)) {
    return { code: "saved-statistics", why: "Something reads the batch's own mean or variance." };
  }
  const carried = running.map((k) => carriersOf(scope, node.output[k]));
  if (scope.kind !== "graph" && carried.some(({ outputs }) => outputs.length > 0)) {
    return { code: "branch-output", why: "A running statistic is an output of the branch or function that the layer lies in." };
  }
  const removedOutputs = carried.flatMap(({ outputs }) => outputs);
  const { proto } = scope;
  if (proto.$typeName === "batchnorm.onnx.GraphProto") proto.output = proto.output.filter(({ name }) => !removedOutputs.includes(name));
  const carriers = carried.flatMap(({ nodes }) => nodes);
  draft.removeNodes(scope, carriers);
  for (const k of running) {
    // A frozen layer leaves its statistics as they are: inputs 3 and 4.
    for (const use of usesOf({ scope, name: node.output[k] })) {
      if (!carriers.includes(use.node)) draft.rewire(use.scope, use.node, use.index, node.input[k + 2]);
    }
  }
  const gone = [...node.output.slice(1), ...removedOutputs];
  node.output = node.output.slice(0, 1);
  proto.valueInfo = proto.valueInfo.filter(({ name }) => !gone.includes(name));
  removeAttribute(node, "training_mode");
  if (scope.opset < FIRST_MODE_BY_OUTPUTS) setIntAttribute(node, "is_test", 1);
  return { removedOutputs };
}

/** The outputs of the graph that a value is, directly or through Identity, and those Identity nodes. */
function carriersOf(scope: Scope, name: string): { readonly outputs: readonly string[]; readonly nodes: readonly NodeProto[] } {
  const outputs = scope.outputs.has(name) ? [name] : [];
  const nodes: NodeProto[] = [];
  for (const { node, scope: reader } of usesOf({ scope, name })) {
    if (reader !== scope || !isOperator(node, "Identity")) continue;
    const inner = carriersOf(scope, node.output[0]);
    const others = usesOf({ scope, name: node.output[0] }).filter((use) => !inner.nodes.includes(use.node));
    // An Identity that something else reads, too, stays, and carries the moving statistic.
    if (inner.outputs.length === 0 || others.length > 0) continue;
    outputs.push(...inner.outputs);
    nodes.push(node, ...inner.nodes);
  }
  return { outputs, nodes };
}
