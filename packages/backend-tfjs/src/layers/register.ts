import { serialization } from "@tensorflow/tfjs-core";
import { BatchNormalization } from "./batch-normalization.ts";

/**
 * Makes `tf.loadLayersModel` use the layer of this package for class BatchNormalization from now on, for every model in this page
 * or process. Models that are loaded already: see `replaceBatchNorms`.
 */
export function registerBatchNormalization(): void {
  serialization.registerClass(BatchNormalization as never);
}
