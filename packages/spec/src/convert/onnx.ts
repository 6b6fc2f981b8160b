import { resolveConfig } from "../config.ts";
import type { BatchNormConfig, BatchNormState, Numbers } from "../contract.ts";
import { BatchNormError } from "../errors.ts";
import { decideMode } from "../mode.ts";
import { rejectUnknownKeys, requireKeys } from "../objects.ts";
import { resolveState } from "../state.ts";
import { filledParameters, requireAxisOne, requireEstimator } from "./expressible.ts";
import type { ConfigAndState } from "./json.ts";

/** The attributes of a `BatchNormalization` node of opset 9 or later; what is absent has ONNX's default. */
export interface OnnxAttributes {
  /** Default 1e-5. */
  readonly epsilon?: number;
  /** The weight of the OLD value, as here. Default 0.9. */
  readonly momentum?: number;
  /** Default 0. Since opset 14; an INT attribute, which some readers give as a bigint. */
  readonly training_mode?: number | bigint;
}

/** The inputs of the node but X, each `[channels]`, by the names of opset 14. (Opset 9 calls the last two mean and var.) */
export interface OnnxInputs<Vector = Numbers> {
  readonly scale: Vector;
  readonly B: Vector;
  readonly input_mean: Vector;
  readonly input_var: Vector;
}

/** What makes a `BatchNormalization` node of opset 14 or 15. */
export interface OnnxNode {
  readonly attributes: { readonly epsilon: number; readonly momentum: number; readonly training_mode: 0 | 1 };
  readonly inputs: OnnxInputs<Float32Array>;
}

const ATTRIBUTE_KEYS = ["epsilon", "momentum", "training_mode"];
const INPUT_KEYS = ["scale", "B", "input_mean", "input_var"];

/** What opsets before 9 had besides, and why it has no equal. */
const OLD_ATTRIBUTES: Readonly<Record<string, string>> = {
  spatial: "opset 7 can normalize every element of a channel by itself",
  is_test: "opset 6 chose the mode by it",
  consumed_inputs: "opset 1 overwrote its inputs",
};

/**
 * An ONNX node in the words of the contract (clause 16.2). A FLOAT attribute is a float32 in the file, so 0.9 reads as 0.8999999761581421: it
 * is left as it is, since that is the number which every runtime of the file computes with.
 *
 * `training` is the node's training_mode, to be given to `call`.
 *
 * Source: ONNX operators, `BatchNormalization`, versions 9, 14 and 15.
 *
 * @throws BatchNormError `cannot-convert` for an attribute of an older opset, `invalid-argument` for another unknown attribute or a
 * training_mode other than 0 and 1, `invalid-state` for the inputs, and what `resolveConfig` and `resolveState` throw.
 */
export function fromOnnxAttributes(attributes: OnnxAttributes, inputs: OnnxInputs): ConfigAndState & { readonly training: boolean } {
  for (const [name, reason] of Object.entries(OLD_ATTRIBUTES)) {
    if (Object.hasOwn(attributes ?? {}, name)) {
      throw new BatchNormError("cannot-convert", `The node is of an old opset: ${reason}`, name, "a model converted to opset 9 or later");
    }
  }
  rejectUnknownKeys("invalid-argument", "The ONNX node", attributes as unknown, ATTRIBUTE_KEYS);
  rejectUnknownKeys("invalid-state", "The node's inputs", inputs as unknown, INPUT_KEYS);
  requireKeys("invalid-state", "The node's inputs", { ...inputs }, INPUT_KEYS);
  const { epsilon = 1e-5, momentum = 0.9, training_mode: trainingMode = 0 } = attributes;
  const mode = typeof trainingMode === "bigint" ? Number(trainingMode) : trainingMode;
  if (mode !== 0 && mode !== 1) throw new BatchNormError("invalid-argument", "training_mode is wrong", trainingMode, "0 or 1");
  const config = resolveConfig({ axis: 1, epsilon, momentum });
  const state = resolveState(config, {
    parameters: { gamma: inputs.scale, beta: inputs.B },
    statistics: { movingMean: inputs.input_mean, movingVariance: inputs.input_var },
  });
  return { config, state, training: mode === 1 };
}

/**
 * The ONNX node that computes the same, in inference or, with `training: true`, as a training step (which is inference for a
 * frozen layer). An absent gamma is filled with ones, an absent beta with zeros, since the node has both.
 *
 * The attributes are given as they are; a file rounds them to float32. `nonFinite` has no equal: ONNX always propagates.
 *
 * @throws BatchNormError `cannot-convert` unless axis is 1 and varianceEstimator 'population', `invalid-argument` for the
 * options, and what `resolveConfig` and `resolveState` throw.
 */
export function toOnnxAttributes(config: BatchNormConfig, state: BatchNormState, options: { readonly training?: boolean } = {}): OnnxNode {
  rejectUnknownKeys("invalid-argument", "The options", options as unknown, ["training"]);
  const { training = false } = options;
  if (typeof training !== "boolean") throw new BatchNormError("invalid-argument", "training is not a boolean", training, "true or false");
  const resolved = resolveConfig(config);
  requireAxisOne("ONNX", resolved);
  requireEstimator("ONNX", resolved, "population");
  const { parameters, statistics } = resolveState(resolved, state);
  const { gamma, beta } = filledParameters(parameters, statistics.movingMean.length);
  const normalizesWithBatch = decideMode(training, resolved.trainable).normalizeWith === "batch";
  return {
    attributes: { epsilon: resolved.epsilon, momentum: resolved.momentum, training_mode: normalizesWithBatch ? 1 : 0 },
    inputs: { scale: gamma, B: beta, input_mean: statistics.movingMean, input_var: statistics.movingVariance },
  };
}
