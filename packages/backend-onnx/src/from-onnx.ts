import { readLayer, readModel } from "@batchnorm/onnx-model";
import type { BatchNormConfig, BatchNormState } from "@batchnorm/spec";

/** What a model says of its layer. */
export interface OnnxLayerFile {
  readonly config: BatchNormConfig;
  readonly state: BatchNormState;
  /** Whether the node is in training mode: to be given to `call`. */
  readonly training: boolean;
}

/**
 * Reads the layer of an ONNX model with one batch normalization, such as `toOnnx` writes: the parameters and statistics
 * bit for bit, epsilon and momentum as the float32 numbers that the file has. The axis is 1, or that of the view around
 * the node. For models with more than one layer there is `@batchnorm/onnx-model`.
 *
 * A file does not say whether gamma and beta are learned, whether the layer is frozen, or what it does with infinities:
 * center, scale and trainable are true, nonFinite is 'propagate'.
 *
 * @throws BatchNormError `invalid-file` for bytes that are no model or contradict themselves; `cannot-convert` for a
 * model with no or several layers, or whose parameters or statistics are not in the file; `negative-variance`,
 * `invalid-epsilon` and others of `resolveConfig` and `resolveState`.
 */
export function fromOnnx(bytes: Uint8Array): OnnxLayerFile {
  const { config, state, training } = readLayer(readModel(bytes));
  return { config, state, training };
}
