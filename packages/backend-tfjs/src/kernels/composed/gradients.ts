import type { ChannelView } from "@batchnorm/spec";
import type { Tensor, Tf } from "../../tf.ts";
import type { GradientOperands, OperandGradients } from "../arithmetic.ts";
import { inverseDeviationOf } from "./normalize.ts";
import { sumPerChannel } from "./sum.ts";
import { viewShapes } from "./view.ts";

/** The closed form out of tfjs's ops: two reductions and a handful of elementwise passes. */
export function gradients(
  tf: Tf,
  dy: Tensor,
  view: ChannelView,
  operands: GradientOperands<Tensor>,
  epsilon: number,
  ofParameters: boolean,
): OperandGradients<Tensor> {
  const shapes = viewShapes(view);
  const upstream = tf.reshape(dy, shapes.elements);
  const inverseDeviation = tf.reshape(inverseDeviationOf(tf, operands, epsilon), shapes.channels);
  const slope = operands.gamma === null ? inverseDeviation : tf.mul(tf.reshape(operands.gamma, shapes.channels), inverseDeviation);
  const { batch } = operands;
  const past = (): Tensor => tf.reshape(tf.mul(upstream, slope), dy.shape);
  if (batch === null && !ofParameters) return { dx: past(), parameters: null };
  const centered = tf.sub(tf.reshape(operands.x, shapes.elements), tf.reshape(operands.mean, shapes.channels));
  const dbeta = sumPerChannel(tf, upstream);
  // What float32 lost of the mean is known: it adds up where dy has one sign, and counts where deviations are small.
  const remainder = batch === null ? null : tf.reshape(batch.remainder, shapes.channels);
  const projection = sumPerChannel(tf, tf.mul(upstream, centered));
  const dgamma = tf.mul(remainder === null ? projection : tf.sub(projection, tf.mul(remainder, dbeta)), inverseDeviation);
  const parameters = ofParameters ? { dgamma: tf.reshape(dgamma, [view.channels]), dbeta: tf.reshape(dbeta, [view.channels]) } : null;
  if (batch === null || remainder === null) return { dx: past(), parameters };
  const share = batch.count === null ? 1 / (view.outer * view.inner) : tf.div(1, tf.maximum(batch.count, 1));
  const pull = tf.mul(tf.mul(dgamma, inverseDeviation), share);
  const shift = tf.sub(tf.mul(dbeta, share), tf.mul(remainder, pull));
  const rest = tf.sub(tf.sub(upstream, tf.mul(centered, pull)), shift);
  const entered = batch.mask === null ? rest : tf.where(tf.reshape(batch.mask, shapes.places), rest, upstream);
  return { dx: tf.reshape(tf.mul(entered, slope), dy.shape), parameters };
}
