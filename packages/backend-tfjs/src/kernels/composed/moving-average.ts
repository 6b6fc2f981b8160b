import type { Tensor, Tf } from "../../tf.ts";
import type { TrainAttributes } from "../arithmetic.ts";

/** The moving statistics, `[channels]` each, and those of a batch that they take in; see `Operands`. */
export interface MovingAverageInputs {
  readonly movingMean: Tensor;
  readonly movingVariance: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly downscale: Tensor;
  /** Present with a mask. */
  readonly count?: Tensor | undefined;
}

/** `[movingMean, movingVariance]` after a batch, as `Arithmetic.train` gives them. */
export function movingAverage(
  tf: Tf,
  { movingMean, movingVariance, mean, variance, count, downscale }: MovingAverageInputs,
  { view, momentum, varianceEstimator }: TrainAttributes,
): Tensor[] {
  const blend = (old: Tensor, weighed: Tensor): Tensor => {
    const blended = tf.add(tf.mul(old, momentum), weighed);
    return count === undefined ? blended : tf.where(tf.greater(count, 0), blended, old);
  };
  const fresh = 1 - momentum;
  const weighed = tf.mul(variance, weightOfVariance());
  const upscaled = tf.div(tf.div(weighed, downscale), downscale);
  return [blend(movingMean, tf.mul(mean, fresh)), blend(movingVariance, upscaled)];

  function weightOfVariance(): Tensor | number {
    if (varianceEstimator === "population") return fresh;
    const n = view.outer * view.inner;
    if (count === undefined) return (fresh * n) / Math.max(n - 1, 1);
    return tf.div(tf.mul(count, fresh), tf.maximum(tf.sub(count, 1), 1));
  }
}
