import type { GradientAttributes, GradientInputs } from "./kernels/arithmetic.ts";
import { sumPerChannel } from "./kernels/composed/sum.ts";
import { viewShapes } from "./kernels/composed/view.ts";
import type { Tensor, Tf } from "./tf.ts";

/**
 * The gradients of section 10 as a function of dy, x and gamma, in ops that tfjs can differentiate again: for gradients of
 * gradients. The statistics of a batch are computed from x once more, since they are where the second derivative comes from.
 */
export function differentiableGradients(
  tf: Tf,
  { dy, x, gamma, ...constants }: GradientInputs<Tensor>,
  { view, epsilon, ofParameters, throughStatistics }: GradientAttributes,
): Tensor[] {
  const shapes = viewShapes(view);
  const mean = constant(tf, constants.mean);
  const variance = constant(tf, constants.variance);
  const places = constants.mask && tf.reshape(constant(tf, constants.mask), shapes.places);
  const count = constants.count && constant(tf, constants.count);
  const upstream = tf.reshape(dy, shapes.elements);
  // Around the mean as it was found, so that these sums are of deviations, too (clause 12.6).
  let centered = tf.sub(tf.reshape(x, shapes.elements), tf.reshape(mean, shapes.channels));
  let spread = tf.reshape(variance, shapes.channels);
  const n = count ? tf.maximum(count, 1) : view.outer * view.inner;
  const visible = (elements: Tensor): Tensor => (places === undefined ? elements : tf.where(places, elements, 0));
  if (throughStatistics) {
    const correction = tf.div(sumPerChannel(tf, visible(centered)), n);
    centered = tf.sub(centered, correction);
    const found = tf.div(sumPerChannel(tf, visible(tf.square(centered))), n);
    // A mask that hides everything leaves the moving variance in use.
    spread = count === undefined ? found : tf.where(tf.greater(count, 0), found, spread);
  }
  const inverseDeviation = tf.rsqrt(tf.add(spread, epsilon));
  const xHat = tf.mul(centered, inverseDeviation);
  const slope = gamma === undefined ? inverseDeviation : tf.mul(tf.reshape(gamma, shapes.channels), inverseDeviation);
  const dbeta = sumPerChannel(tf, upstream);
  const dgamma = sumPerChannel(tf, tf.mul(upstream, xHat));
  const through = throughStatistics ? visible(tf.div(tf.add(dbeta, tf.mul(xHat, dgamma)), n)) : 0;
  const dx = tf.reshape(tf.mul(slope, tf.sub(upstream, through)), dy.shape);
  const perChannel = (tensor: Tensor): Tensor => tf.reshape(tensor, [view.channels]);
  return ofParameters ? [dx, perChannel(dgamma), perChannel(dbeta)] : [dx];
}

/** The same numbers, through which no gradient flows: what is found on a tape is followed back to x, where it has no gradient. */
function constant(tf: Tf, tensor: Tensor): Tensor {
  return tf.customGrad(() => ({ value: tf.clone(tensor), gradFunc: () => [] }))();
}
