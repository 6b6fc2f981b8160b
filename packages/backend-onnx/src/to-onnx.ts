import {
  type BatchNormConfig,
  BatchNormError,
  type BatchNormState,
  channelView,
  rejectUnknownOptions,
  resolveConfig,
} from "@batchnorm/spec";
import { toOnnxAttributes } from "@batchnorm/spec/convert";
import { Graph, OPSET, type Value } from "./graph/graph.ts";

export interface ToOnnxOptions {
  /** The rank of x: a model has to say it. Default: 4, or the least that has the axis if that is more. */
  readonly rank?: number;
  /** Whether the model is a training step, with the outputs `running_mean` and `running_var`. Default false. */
  readonly training?: boolean;
  /** Default 15, and not less: it has the BatchNormalization of all later ones. */
  readonly opset?: number;
}

/**
 * An ONNX model of this layer: input `x`, output `y`, one BatchNormalization. The operator normalizes axis 1; for any
 * other axis x is brought into the form `[outer, channels, inner]` and back, by reshape alone, whatever its dimensions
 * are in a run.
 *
 * The parameters and statistics are in it bit for bit; an absent gamma is there as ones, an absent beta as zeros.
 * epsilon and momentum are FLOAT attributes, and so are rounded to float32. A frozen layer has training_mode 0 in
 * training, too.
 *
 * With `training` the model is the operator itself, and as exact as the runtime that runs it. Those of onnxruntime take
 * the mean from a plain float32 sum of x, so data with an offset loses digits: of 65536 elements around 1e4 with a
 * deviation of 1, onnxruntime-web 1.30 (wasm) gives a running variance of 8.9 for 1.02. A layer of this package does
 * not: train with `call`.
 *
 * Source: ONNX operators, `BatchNormalization` version 15, `Flatten` version 13, `Reshape` version 14.
 *
 * @throws BatchNormError `cannot-convert` for varianceEstimator 'sample', which the operator does not have;
 * `invalid-rank`, `invalid-axis`, `invalid-argument` for the options, and what `resolveConfig` and `resolveState`
 * throw.
 */
export function toOnnx(state: BatchNormState, config: BatchNormConfig, options: ToOnnxOptions = {}): Uint8Array {
  rejectUnknownOptions("The options of toOnnx", options as unknown, ["rank", "training", "opset"]);
  const { training = false, opset = OPSET } = options;
  if (!Number.isInteger(opset) || opset < OPSET) {
    throw new BatchNormError("invalid-argument", "The opset is too old", opset, `an integer, at least ${OPSET}`);
  }
  // There is no default config here: a file says what it was given.
  const { axis, ...rest } = resolveConfig((config ?? null) as BatchNormConfig);
  const { attributes, inputs } = toOnnxAttributes({ ...rest, axis: 1 }, state, { training });
  const rank = options.rank ?? Math.max(4, axis < 0 ? -axis : axis + 1);
  const channels = inputs.scale.length;
  const graph = new Graph("batch-normalization");
  const shape = shapeOf(rank, axis, channels);
  const x = graph.input("x", "float32", shape);
  const names = ["scale", "B", "input_mean", "input_var"] as const;
  const vectors = names.map((name) => graph.float32(inputs[name], name));
  const floats = { epsilon: { float: attributes.epsilon }, momentum: { float: attributes.momentum } };
  const isTraining = attributes.training_mode === 1;
  const outputs = graph.ops(
    "BatchNormalization",
    [axis === 1 ? x : viewAround(graph, x, axis, channels), ...vectors],
    { ...floats, training_mode: attributes.training_mode },
    isTraining ? 3 : 1,
  );
  const y = axis === 1 ? outputs[0] : graph.op("Reshape", [outputs[0], graph.op("Shape", [x])]);
  graph.output("y", y, "float32", shape);
  if (isTraining) {
    graph.output("running_mean", outputs[1], "float32", [channels]);
    graph.output("running_var", outputs[2], "float32", [channels]);
  }
  return graph.bytes(opset);
}

/** x as `[outer, channels, inner]`: flattened in two around the axis, and the second part split. */
function viewAround(graph: Graph, x: Value, axis: number, channels: number): Value {
  return graph.op("Reshape", [graph.op("Flatten", [x], { axis }), graph.int64([0, channels, -1])]);
}

/** More axes than any tensor has, and few enough to name each. */
const GREATEST_RANK = 64;

/** Names for all dimensions but that of the channels. Throws what `channelView` throws. */
function shapeOf(rank: number, axis: number, channels: number): (number | string)[] {
  if (!Number.isInteger(rank) || rank > GREATEST_RANK) {
    throw new BatchNormError("invalid-rank", "The rank is wrong", rank, `an integer from 2 to ${GREATEST_RANK}`);
  }
  const sizes = Array.from({ length: rank }, () => 1);
  channelView(sizes, axis);
  return sizes.map((_, index) => (index === (axis < 0 ? axis + rank : axis) ? channels : `dimension_${index}`));
}
