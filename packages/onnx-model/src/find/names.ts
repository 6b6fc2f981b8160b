import { producerOf } from "../graph/scope.ts";
import { origin } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { ARRAY_NAMES, type Match } from "./match.ts";

/** What frameworks call the arrays of a layer, after the layer's own name. */
const ARRAY_SUFFIX =
  /[./_](?:weight|bias|gamma|beta|scale|shift|offset|b|running_mean|running_var|moving_mean|moving_var(?:iance)?|mean|var(?:iance)?|input_mean|input_var|[wb]_\d)$/i;

/** What TensorFlow's operators add to the name of the layer that they belong to. */
const TENSORFLOW_TAIL = /\/(?:FusedBatchNorm|batchnorm|batch_norm|ReadVariableOp|Cast|Reshape|AssignMovingAvg).*$/i;

/** Names that a converter puts before all others. */
const CONVERTER_HEAD = /^(?:StatefulPartitionedCall\/|PartitionedCall\/|jax2onnx\/|\/)+/;

/** Whether a name speaks of batch normalization. */
export function saysBatchNorm(name: string): boolean {
  return /batch_?norm|(?:^|[^a-z])bn(?:[^a-z]|$)/i.test(name);
}

/** All names that could say what a layer is: of its nodes, its arrays and its output. */
export function namesOf(match: Pick<Match, "nodes" | "sources" | "steps">): string[] {
  const arrays = ARRAY_NAMES.flatMap((name) => match.sources[name]?.value.name ?? []);
  const constants = match.steps.map(({ node, index }) => node.input[index]);
  return [...match.nodes.flatMap((node) => [node.name, ...node.output]), ...arrays, ...constants];
}

/**
 * Names for layers, each used once: from their arrays where two of those agree and no other layer has them, else from
 * their nodes.
 */
export function nameLayers(matches: readonly Match[]): string[] {
  const inFunction = new Map<string, number>();
  for (const { scope } of matches) inFunction.set(scope.path, (inFunction.get(scope.path) ?? 0) + 1);
  const scoped = (match: Match, own: string): string => inScope(match, own, inFunction.get(match.scope.path) === 1);
  const fromArrays = matches.map((match) => {
    const name = nameFromArrays(match);
    return name === null ? null : scoped(match, name);
  });
  const used = new Map<string, number>();
  return matches.map((match, k) => {
    const own = fromArrays[k];
    // Equal arrays may have been merged, under the name of one of the layers.
    const isAlone = own !== null && fromArrays.filter((name) => name === own).length === 1;
    const name = isAlone ? own : scoped(match, nameFromNodes(match));
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

/** A layer of a function goes by its call: all calls have the same nodes. */
function inScope(match: Match, own: string, alone: boolean): string {
  const { scope } = match;
  if (scope.kind !== "function" || scope.caller === null) return own;
  const call = scope.caller.node.name || scope.path.replace(/\/[^/]*$/, "");
  return alone ? call : `${call}/${own}`;
}

function nameFromArrays(match: Match): string | null {
  const counts = new Map<string, number>();
  for (const name of ARRAY_NAMES) {
    const source = match.sources[name];
    if (source === undefined) continue;
    const { value } = origin(source.value);
    // The names within a function are those of its parameters, and its constants have one name for all calls.
    if (match.scope.kind === "function" && value.scope === match.scope) continue;
    const stem = stemOf(value.name) ?? stemOf(producerOf(value)?.name ?? "");
    if (stem !== null) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  const [stem, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [null, 0];
  return count >= 2 ? stem : null;
}

function stemOf(name: string): string | null {
  const bare = name.replace(/:\d+$/, "").replace(CONVERTER_HEAD, "");
  const stem = TENSORFLOW_TAIL.test(bare) ? bare.replace(TENSORFLOW_TAIL, "") : bare.replace(ARRAY_SUFFIX, "");
  return stem === bare || stem === "" ? null : stem;
}

function nameFromNodes({ nodes, scope }: Match): string {
  const names = nodes.filter((node) => node.name !== "").map((node) => node.name.replace(/:\d+$/, "").replace(CONVERTER_HEAD, ""));
  if (names.length === 0) return `${nodes[0].opType}_${scope.nodes.indexOf(nodes[0])}`;
  if (names.length === 1) return withoutType(names[0], nodes[0]);
  // Most of them stand in the layer's own folder; an optimizer may have put others between.
  const counts = new Map<string, number>();
  for (const name of names) {
    const folder = name
      .split("/")
      .slice(0, -1)
      .join("/")
      .replace(/\/(?:batchnorm|moments)(?:\/.*)?$/i, "");
    if (folder !== "") counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const [folder, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ["", 0];
  return count >= 2 ? folder : names[0];
}

/** A module's path with the operator's type at the end, as torch writes it: the path. */
function withoutType(name: string, node: NodeProto): string {
  const parts = name.split("/");
  const last = parts[parts.length - 1].replace(/_\d+$/, "");
  return parts.length > 1 && last === node.opType ? parts.slice(0, -1).join("/") : name;
}
