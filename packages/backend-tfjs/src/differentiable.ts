import type { ChannelView } from "@batchnorm/spec";
import type { GradientOperands, OperandGradients } from "./kernels/arithmetic.ts";
import { sumPerChannel } from "./kernels/composed/sum.ts";
import { viewShapes } from "./kernels/composed/view.ts";
import type { Tensor, Tf } from "./tf.ts";

/**
 * The gradients of section 10 as a function of dy, x and gamma, in ops that tfjs can differentiate again: for gradients of
 * gradients. The statistics of a batch are computed from x once more, since they are where the second derivative comes from.
 */
export function differentiableGradients(
  tf: Tf,
  dy: Tensor,
  view: ChannelView,
  { x, gamma, ...constants }: GradientOperands<Tensor>,
  epsilon: number,
  ofParameters: boolean,
): OperandGradients<Tensor> {
  const shapes = viewShapes(view);
  const mean = constant(tf, constants.mean);
  const variance = constant(tf, constants.variance);
  const batch = constants.batch && { mask: constant(tf, constants.batch.mask), count: constant(tf, constants.batch.count) };
  const upstream = tf.reshape(dy, shapes.elements);
  // Around the mean as it was found, so that these sums are of deviations, too (clause 12.6).
  let centered = tf.sub(tf.reshape(x, shapes.elements), tf.reshape(mean, shapes.channels));
  let spread = tf.reshape(variance, shapes.channels);
  const mask = batch?.mask ? tf.reshape(batch.mask, shapes.places) : null;
  const n = batch?.count ? tf.maximum(batch.count, 1) : view.outer * view.inner;
  const visible = (elements: Tensor): Tensor => (mask === null ? elements : tf.where(mask, elements, 0));
  if (batch !== null) {
    const correction = tf.div(sumPerChannel(tf, visible(centered)), n);
    centered = tf.sub(centered, correction);
    const found = tf.div(sumPerChannel(tf, visible(tf.square(centered))), n);
    // A mask that hides everything leaves the moving variance in use.
    spread = batch.count === null ? found : tf.where(tf.greater(batch.count, 0), found, spread);
  }
  const inverseDeviation = tf.rsqrt(tf.add(spread, epsilon));
  const xHat = tf.mul(centered, inverseDeviation);
  const slope = gamma === null ? inverseDeviation : tf.mul(tf.reshape(gamma, shapes.channels), inverseDeviation);
  const dbeta = sumPerChannel(tf, upstream);
  const dgamma = sumPerChannel(tf, tf.mul(upstream, xHat));
  const through = batch === null ? 0 : visible(tf.div(tf.add(dbeta, tf.mul(xHat, dgamma)), n));
  const dx = tf.reshape(tf.mul(slope, tf.sub(upstream, through)), dy.shape);
  const perChannel = (tensor: Tensor): Tensor => tf.reshape(tensor, [view.channels]);
  return { dx, parameters: ofParameters ? { dgamma: perChannel(dgamma), dbeta: perChannel(dbeta) } : null };
}

/** The same numbers, through which no gradient flows: what is found on a tape is followed back to x, where it has no gradient. */
function constant<Operand extends Tensor | null>(tf: Tf, tensor: Operand): Operand {
  return tensor && (tf.customGrad(() => ({ value: tf.clone(tensor), gradFunc: () => [] }))() as Operand);
}
