import type { ChannelView } from "@batchnorm/spec";
import type { Tensor, Tf } from "../../tf.ts";
import type { MomentsInputs } from "../arithmetic.ts";
import { sumPerChannel, viewShapes } from "./view.ts";

/**
 * Mean and population variance of every channel of x.
 *
 * Sums on a device are float32, so they must be sums of deviations (clauses 12.3 and 12.6): x is taken as differences from the
 * first element of its channel, and the variance from a second pass around the mean of those.
 */
export function moments(tf: Tf, x: Tensor, view: ChannelView): Tensor[] {
  const share = 1 / (view.outer * view.inner);
  const shapes = viewShapes(view);
  const elements = tf.reshape(x, shapes.elements);
  const first = tf.slice(
    elements,
    shapes.elements.map(() => 0),
    shapes.channels,
  );
  const shift = finiteOrZero(tf, first);
  const shifted = tf.sub(elements, shift);
  const mean = tf.mul(sumPerChannel(tf, shifted), share);
  const variance = tf.mul(sumPerChannel(tf, tf.square(tf.sub(shifted, mean))), share);
  return [tf.reshape(tf.add(shift, mean), [view.channels]), tf.reshape(variance, [view.channels])];
}

/**
 * The same of the elements that the mask lets through, or the moving statistics where it lets none through (clause 9.4); `count`
 * is the number of visible elements of a channel. Nothing is read back. Hidden elements are selected away, not multiplied by 0, so
 * that a hidden NaN stays hidden (clause 9.6).
 */
export function maskedMoments(
  tf: Tf,
  { x, mask, movingMean, movingVariance }: MomentsInputs<Tensor> & { readonly mask: Tensor },
  view: ChannelView,
): Tensor[] {
  const shapes = viewShapes(view);
  const elements = tf.reshape(x, shapes.elements);
  const visible = tf.reshape(mask, shapes.places);
  const count = tf.sum(tf.cast(mask, "float32"));
  // Where it is 0, what is divided by it is not used.
  const n = tf.maximum(count, 1);
  const shift = finiteOrZero(tf, firstVisible(tf, elements, view, mask));
  const shifted = tf.where(visible, tf.sub(elements, shift), 0);
  const mean = tf.div(sumPerChannel(tf, shifted), n);
  const variance = tf.div(sumPerChannel(tf, tf.where(visible, tf.square(tf.sub(shifted, mean)), 0)), n);
  const seen = tf.greater(count, 0);
  return [
    tf.where(seen, tf.reshape(tf.add(shift, mean), [view.channels]), movingMean!),
    tf.where(seen, tf.reshape(variance, [view.channels]), movingVariance!),
    count,
  ];
}

/** The elements at the first visible place, one a channel, since all channels share the mask; at the very first where none is. */
function firstVisible(tf: Tf, elements: Tensor, { outer, inner }: ChannelView, mask: Tensor): Tensor {
  const visible = tf.reshape(tf.cast(mask, "int32"), [outer, inner]);
  const row = tf.reshape(tf.argMax(tf.max(visible, 1), 0), [1]);
  const rowElements = tf.gather(elements, row, 0);
  return inner === 1 ? rowElements : tf.gather(rowElements, tf.argMax(tf.gather(visible, row, 0), 1), 2);
}

/** An infinite shift would turn an infinite mean into NaN (clause 11.1), and any finite one will do for a channel that holds one. */
function finiteOrZero(tf: Tf, shift: Tensor): Tensor {
  return tf.where(tf.isFinite(shift), shift, tf.zerosLike(shift));
}
