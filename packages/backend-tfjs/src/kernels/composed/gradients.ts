import type { Tensor, Tf } from "../../tf.ts";
import type { GradientAttributes, GradientInputs } from "../arithmetic.ts";
import { inverseDeviationOf } from "./normalize.ts";
import { sumInKernel } from "./sum.ts";
import { viewShapes } from "./view.ts";

/**
 * The closed form out of tfjs's ops: two reductions and a handful of elementwise passes. See `Arithmetic.gradients`.
 */
export function gradients(
  tf: Tf,
  { dy, x, mean, variance, gamma, mask, count, ...batch }: GradientInputs<Tensor>,
  { view, epsilon, ofParameters, throughStatistics }: GradientAttributes,
): Tensor[] {
  const shapes = viewShapes(view);
  const upstream = tf.reshape(dy, shapes.elements);
  const inverseDeviation = tf.reshape(inverseDeviationOf(tf, variance, batch.downscale, epsilon), shapes.channels);
  const slope = gamma === undefined ? inverseDeviation : tf.mul(tf.reshape(gamma, shapes.channels), inverseDeviation);
  const past = (): Tensor => tf.reshape(tf.mul(upstream, slope), dy.shape);
  if (!throughStatistics && !ofParameters) return [past()];
  const centered = tf.sub(tf.reshape(x, shapes.elements), tf.reshape(mean, shapes.channels));
  const dbeta = sumInKernel(tf, upstream);
  // What float32 lost of the mean is known: it adds up where dy has one sign, and counts where deviations are small.
  const remainder = batch.remainder && tf.reshape(batch.remainder, shapes.channels);
  const projection = sumInKernel(tf, tf.mul(upstream, centered));
  const dgamma = tf.mul(remainder === undefined ? projection : tf.sub(projection, tf.mul(remainder, dbeta)), inverseDeviation);
  const parameters = ofParameters ? [tf.reshape(dgamma, [view.channels]), tf.reshape(dbeta, [view.channels])] : [];
  if (!throughStatistics || remainder === undefined) return [past(), ...parameters];
  const share = count === undefined ? 1 / (view.outer * view.inner) : tf.div(1, tf.maximum(count, 1));
  const pull = tf.mul(tf.mul(dgamma, inverseDeviation), share);
  const shift = tf.sub(tf.mul(dbeta, share), tf.mul(remainder, pull));
  const rest = tf.sub(tf.sub(upstream, tf.mul(centered, pull)), shift);
  const entered = mask === undefined ? rest : tf.where(tf.reshape(mask, shapes.places), rest, upstream);
  return [tf.reshape(tf.mul(entered, slope), dy.shape), ...parameters];
}
