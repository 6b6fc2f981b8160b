import type { Tensor, Tf } from "./tf.ts";

/**
 * The same data as a tensor with a life of its own, until it is disposed of: whatever becomes of the first one, this one stays.
 * tfjs's own clone copies the data on wasm (tfjs 4.22).
 */
export function share(tf: Tf, tensor: Tensor): Tensor {
  const engine = tf.engine();
  engine.backend.incRef(tensor.dataId);
  return tf.keep(engine.makeTensorFromTensorInfo(tensor));
}

/**
 * The same for what a tape saves. To the tape it is the first tensor, which it knows by its id, so that a gradient of a gradient
 * finds its way. Not to be returned from the `tf.tidy` that made the first one, which would then be taken for the result.
 */
export function shareOnTape(tf: Tf, tensor: Tensor): Tensor {
  const shared = share(tf, tensor);
  (shared as { id: number }).id = tensor.id;
  return shared;
}
