import type { Tf, TfjsLayer } from "@batchnorm/backend-tfjs";
import type { BatchNormConfig } from "@batchnorm/spec";
import * as tf from "@tensorflow/tfjs";
import { backendOn } from "../src/backend.ts";

/** A layer of three channels whose four arrays differ, on the active backend. */
export function layerOf(config: Partial<BatchNormConfig> = {}, runtime: Tf = tf): TfjsLayer {
  const { scale = true, center = true } = config;
  return backendOn(runtime, null).create(config, {
    parameters: { gamma: scale ? [1.5, -0.5, 0.75] : null, beta: center ? [0.25, 2, -1] : null },
    statistics: { movingMean: [0.5, -0.25, 0], movingVariance: [2, 0.5, 1] },
  });
}

/** Normally distributed numbers, the same for the same seed. */
export function draw(shape: readonly number[], seed: number): tf.Tensor {
  return tf.randomNormal([...shape], 0, 1, "float32", seed);
}

/** What tfjs holds: of a call that leaves nothing behind, none of these may change. */
export function held(): Record<"tensors" | "buffers" | "dataIds", number> {
  const { numTensors, numDataBuffers } = tf.memory();
  return { tensors: numTensors, buffers: numDataBuffers, dataIds: tf.engine().backend.numDataIds() };
}
