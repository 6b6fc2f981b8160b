import type { VarianceEstimator } from "@batchnorm/spec";
import type { Normalizer } from "./kernels/arithmetic.ts";
import type { Pass } from "./pass.ts";
import type { Tensor, Tf } from "./tf.ts";

/** How statistics take a batch in. */
export interface MovingAverage {
  /** The weight of the old value. */
  readonly momentum: number;
  readonly varianceEstimator: VarianceEstimator;
}

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
  moving: Normalizer<Tensor>,
  { mean, variance, batch, view }: Pick<Pass, "mean" | "variance" | "batch" | "view">,
  { momentum, varianceEstimator }: MovingAverage,
): Normalizer<Tensor> {
  const count = batch?.count ?? null;
  const blend = (old: Tensor, weighed: Tensor): Tensor => {
    const blended = tf.add(tf.mul(old, momentum), weighed);
    return count === null ? blended : tf.where(tf.greater(count, 0), blended, old);
  };
  const fresh = 1 - momentum;
  const weighed = tf.mul(variance, weightOfVariance());
  const upscaled = batch === null ? weighed : tf.div(tf.div(weighed, batch.downscale), batch.downscale);
  return { mean: blend(moving.mean, tf.mul(mean, fresh)), variance: blend(moving.variance, upscaled) };

  function weightOfVariance(): Tensor | number {
    if (varianceEstimator === "population") return fresh;
    const n = view.outer * view.inner;
    if (count === null) return (fresh * n) / Math.max(n - 1, 1);
    return tf.div(tf.mul(count, fresh), tf.maximum(tf.sub(count, 1), 1));
  }
}
