import type { BatchNormConfig, ChannelView } from "@batchnorm/spec";
import type { Statistics } from "./operation.ts";
import type { Tensor, Tf } from "./tf.ts";

/**
 * The statistics after a batch (clauses 7.1 to 7.4), each `[channels]`:
 *
 *     moving * momentum + batch * (1 - momentum)
 *
 * With 'sample' the batch's variance counts n / (n - 1) times, with n = 1 once. A mask that hides everything leaves the old ones,
 * bit for bit; that is decided on the device.
 */
export function movingAverage(
  tf: Tf,
  moving: Statistics,
  { mean, variance, count, downscale }: Statistics,
  view: ChannelView,
  { momentum, varianceEstimator }: Pick<BatchNormConfig, "momentum" | "varianceEstimator">,
): Statistics {
  const blend = (old: Tensor, weighed: Tensor): Tensor => {
    const blended = tf.add(tf.mul(old, momentum), weighed);
    return count === undefined ? blended : tf.where(tf.greater(count, 0), blended, old);
  };
  const fresh = 1 - momentum;
  const weighed = tf.mul(variance, weightOfVariance());
  const upscaled = downscale === undefined ? weighed : tf.div(tf.div(weighed, downscale), downscale);
  return { mean: blend(moving.mean, tf.mul(mean, fresh)), variance: blend(moving.variance, upscaled) };

  function weightOfVariance(): Tensor | number {
    if (varianceEstimator === "population") return fresh;
    const n = view.outer * view.inner;
    if (count === undefined) return (fresh * n) / Math.max(n - 1, 1);
    return tf.div(tf.mul(count, fresh), tf.maximum(tf.sub(count, 1), 1));
  }
}
