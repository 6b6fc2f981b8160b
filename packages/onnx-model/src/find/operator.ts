import { invalidFile, quoted } from "../errors.ts";
import { floatAttribute, intAttribute } from "../graph/attribute.ts";
import { isOperator, producerOf, resolve, type Scope, type Value } from "../graph/scope.ts";
import { type Axis, axisAt, type Context, origin, sameValue } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import { sizeOf } from "../tensor/tensor-check.ts";
import { batchMean, batchVariance } from "./batch-moments.ts";
import { ARRAY_NAMES, type ArrayName, type LayerMode, type LookalikeMatch, type Match, type Source } from "./match.ts";

/** The last opset with the attribute `spatial`. */
const LAST_SPATIAL = 8;

/**
 * From this opset on an attribute says the mode; before, from opset 7 on, the number of outputs did; before that,
 * `is_test`.
 */
const FIRST_TRAINING_MODE = 14;
const FIRST_MODE_BY_OUTPUTS = 7;

/**
 * A node BatchNormalization as a layer.
 *
 * Source: ONNX operators, `BatchNormalization`, versions 1, 6, 7, 9, 14 and 15.
 *
 * @throws BatchNormError `invalid-file` for a node with fewer inputs than five, with arrays that are no vectors of one
 * length, or with attributes of the wrong type.
 */
export function matchOperator(context: Context, scope: Scope, node: NodeProto): Match | LookalikeMatch {
  if (!node.input[0] || !node.output[0]) {
    throw invalidFile(
      `The BatchNormalization ${quoted(node.name)} has no data to normalize`,
      node.input.length,
      "five inputs and an output",
    );
  }
  const sources: Partial<Record<ArrayName, Source>> = {};
  for (const [k, name] of ARRAY_NAMES.entries()) {
    const value = resolve(scope, node.input[k + 1]);
    if (value === null) throw invalidFile(`The BatchNormalization ${quoted(node.name)} lacks an input`, node.input.length, "five inputs");
    sources[name] = { value, read: { node, index: k + 1 }, constant: context.constants.of(value) };
  }
  const perPosition = scope.opset <= LAST_SPATIAL && intAttribute(scope, node, "spatial", 1) === 0;
  const channels = channelsOf(node, sources, perPosition);
  const nodes = [node];
  if (isInstanceNorm(context, scope, node, sources, channels)) return { code: "instance-norm", scope, nodes };
  const fromBatch = isFromBatch(context, scope, node, sources);
  const epsilon = floatAttribute(scope, node, "epsilon", 1e-5);
  return {
    form: fromBatch ? "moments+BatchNormalization" : "BatchNormalization",
    certainty: "certain",
    scope,
    nodes,
    input: node.input[0],
    output: node.output[0],
    axis: axisAt(1, context.shapes.get(scope, node.input[0])?.length ?? null),
    channels,
    mode: fromBatch ? "training" : modeOf(scope, node),
    epsilon: Math.fround(epsilon),
    // What would move is not there.
    momentum: fromBatch ? null : Math.fround(floatAttribute(scope, node, "momentum", 0.9)),
    sources: fromBatch ? { gamma: sources.gamma!, beta: sources.beta! } : sources,
    steps: [],
    perPosition,
  };
}

function modeOf(scope: Scope, node: NodeProto): LayerMode {
  const { opset } = scope;
  if (opset >= FIRST_TRAINING_MODE) {
    const mode = intAttribute(scope, node, "training_mode", 0);
    if (mode !== 0 && mode !== 1) throw invalidFile(`training_mode of the node ${quoted(node.name)} is wrong`, mode, "0 or 1");
    return mode === 1 ? "training" : "inference";
  }
  if (opset >= FIRST_MODE_BY_OUTPUTS) return node.output.slice(1).some((name) => name !== "") ? "training" : "inference";
  return intAttribute(scope, node, "is_test", 0) === 0 ? "training" : "inference";
}

function channelsOf(node: NodeProto, sources: Readonly<Partial<Record<ArrayName, Source>>>, perPosition: boolean): number | null {
  let channels: number | null = null;
  for (const name of ARRAY_NAMES) {
    const dims = sources[name]?.constant?.dims;
    if (dims === undefined) continue;
    if (!perPosition && (dims.length !== 1 || (channels !== null && channels !== dims[0]))) {
      throw invalidFile(`${name} of the BatchNormalization ${quoted(node.name)} has a wrong shape`, dims, `[${channels ?? "channels"}]`);
    }
    if (sizeOf(dims) === 0)
      throw invalidFile(`${name} of the BatchNormalization ${quoted(node.name)} is empty`, dims, "at least one channel");
    channels = dims[0] ?? 1;
  }
  return channels;
}

/** Mean and variance that are computed from x itself. */
function isFromBatch(
  context: Context,
  scope: Scope,
  node: NodeProto,
  { movingMean, movingVariance }: Readonly<Partial<Record<ArrayName, Source>>>,
): boolean {
  if (movingMean?.constant !== null || movingVariance?.constant !== null) return false;
  const x = resolve(scope, node.input[0]);
  const mean = batchMean(context, movingMean.value);
  const variance = batchVariance(context, movingVariance.value);
  if (x === null || mean === null || variance === null) return false;
  return sameValue(origin(x).value, mean.x) && sameValue(mean.x, variance.x);
}

/**
 * An instance normalization in disguise: samples and channels are one axis of `[1, samples x channels, ...]`, and the
 * arrays are repeated for every sample, by a Tile or by the exporter.
 */
function isInstanceNorm(
  context: Context,
  scope: Scope,
  node: NodeProto,
  sources: Readonly<Partial<Record<ArrayName, Source>>>,
  channels: number | null,
): boolean {
  const tiled = ARRAY_NAMES.some((name) => {
    const producer = sources[name] && producerOf(origin(sources[name].value).value);
    return producer !== null && producer !== undefined && isOperator(producer, "Tile");
  });
  if (tiled) return true;
  const x = resolve(scope, node.input[0]);
  const reshape = x && producerOf(x);
  if (reshape === null || !isOperator(reshape, "Reshape")) return false;
  const y = context.shapes.get(x!.scope, x!.name);
  const before = context.shapes.get(x!.scope, reshape.input[0]);
  // [N, C, ...] to [1, N C, ...]: the batch is gone, and the channels are a multiple of what they were.
  return (
    y?.[0] === 1 &&
    channels !== null &&
    typeof before?.[1] === "number" &&
    before[0] !== 1 &&
    channels > before[1] &&
    channels % before[1] === 0
  );
}

/**
 * The view `[outer, channels, inner]` of a layer whose axis is not 1, as this project's own models have it: Flatten,
 * Reshape, node, Reshape back.
 */
export interface View {
  readonly axis: Axis;
  readonly input: Value;
}

/**
 * Recognizes that view. All of it has to be there: a Flatten and a Reshape of other purpose before a node say nothing
 * about its axis.
 */
export function viewOf(context: Context, match: Match): View | null {
  const { scope, channels } = match;
  const x = resolve(scope, match.input);
  const reshape = x && producerOf(x);
  if (reshape === null || !isOperator(reshape, "Reshape")) return null;
  const flat = resolve(scope, reshape.input[0]);
  const flatten = flat && producerOf(flat);
  if (flatten === null || !isOperator(flatten, "Flatten")) return null;
  const target = context.constants.get(scope, reshape.input[1] ?? "")?.read();
  if (target?.length !== 3 || target[0] !== 0 || target[1] !== channels || target[2] !== -1) return null;
  const input = resolve(scope, flatten.input[0]);
  const uses = scope.uses.get(match.output) ?? [];
  const back = uses[0]?.node;
  if (input === null || uses.length !== 1 || scope.outputs.has(match.output) || !isOperator(back, "Reshape") || uses[0].index !== 0)
    return null;
  const shape = resolve(scope, back.input[1]);
  const shapeNode = shape && producerOf(shape);
  if (shapeNode === null || !isOperator(shapeNode, "Shape")) return null;
  const shapeOf = resolve(scope, shapeNode.input[0]);
  if (shapeOf === null || !sameValue(shapeOf, input)) return null;
  return { axis: axisAt(intAttribute(scope, flatten, "axis", 1), null), input };
}
