import type { Tensor, Tf } from "../../tf.ts";
import type { GradientAttributes, GradientInputs } from "../arithmetic.ts";
import { sumPerChannel, viewShapes } from "./view.ts";

/** The closed form out of tfjs's ops: two reductions and a handful of elementwise passes. See `Arithmetic.gradients`. */
export function gradients(
  tf: Tf,
  { dy, x, mean, variance, gamma, mask, count }: GradientInputs<Tensor>,
  { view, epsilon, ofParameters, throughStatistics }: GradientAttributes,
): Tensor[] {
  const shapes = viewShapes(view);
  const upstream = tf.reshape(dy, shapes.elements);
  const inverseDeviation = tf.rsqrt(tf.add(tf.reshape(variance, shapes.channels), epsilon));
  const slope = gamma === undefined ? inverseDeviation : tf.mul(tf.reshape(gamma, shapes.channels), inverseDeviation);
  const past = (): Tensor => tf.reshape(tf.mul(upstream, slope), dy.shape);
  if (!throughStatistics && !ofParameters) return [past()];
  const centered = tf.sub(tf.reshape(x, shapes.elements), tf.reshape(mean, shapes.channels));
  const dbeta = sumPerChannel(tf, upstream);
  const dgamma = tf.mul(sumPerChannel(tf, tf.mul(upstream, centered)), inverseDeviation);
  const parameters = ofParameters ? [tf.reshape(dgamma, [view.channels]), tf.reshape(dbeta, [view.channels])] : [];
  if (!throughStatistics) return [past(), ...parameters];
  const share = count === undefined ? 1 / (view.outer * view.inner) : tf.div(1, tf.maximum(count, 1));
  const shift = tf.mul(dbeta, share);
  const pull = tf.mul(tf.mul(dgamma, inverseDeviation), share);
  const rest = tf.sub(tf.sub(upstream, tf.mul(centered, pull)), shift);
  const entered = mask === undefined ? rest : tf.where(tf.reshape(mask, shapes.places), rest, upstream);
  return [tf.reshape(tf.mul(entered, slope), dy.shape), ...parameters];
}
