import type { ChannelView } from "@batchnorm/spec";
import type { Tensor, Tf } from "../../tf.ts";
import { DOWNSCALE } from "../arithmetic.ts";
import { sumInKernel } from "./sum.ts";
import { viewShapes } from "./view.ts";

/**
 * `[mean, variance, remainder, downscale]` of every channel of x (clause 6.2; see `Operands`). The shift is the first element of
 * the channel.
 */
export function moments(tf: Tf, x: Tensor, view: ChannelView): Tensor[] {
  const shapes = viewShapes(view);
  const elements = tf.reshape(x, shapes.elements);
  const first = tf.slice(
    elements,
    shapes.elements.map(() => 0),
    shapes.channels,
  );
  const share = 1 / (view.outer * view.inner);
  return momentsAround(tf, elements, finiteOrZero(tf, first), view, {
    seen: (values) => values,
    average: (sum) => tf.mul(sum, share),
  });
}

/** What stands in where a mask hides everything, and the mask. */
export interface Masking {
  /** Bool, one element for each of `[outer, inner]`. */
  readonly mask: Tensor;
  readonly movingMean: Tensor;
  readonly movingVariance: Tensor;
}

/**
 * The same of the elements that the mask lets through, or the moving statistics where it lets none through (clause
 * 9.4), and the number of visible elements of a channel. Nothing is read back. Hidden elements are selected away, not
 * multiplied by 0, so that a hidden NaN stays hidden (clause 9.6).
 */
export function maskedMoments(tf: Tf, x: Tensor, view: ChannelView, { mask, movingMean, movingVariance }: Masking): Tensor[] {
  const shapes = viewShapes(view);
  const elements = tf.reshape(x, shapes.elements);
  const visible = tf.reshape(mask, shapes.places);
  // Of a bool tensor of odd bytes, such as 255, webgpu makes numbers as they are (tfjs 4.22).
  const bytes = tf.cast(tf.reshape(mask, [view.outer * view.inner]), "int32");
  const count = tf.sum(tf.cast(tf.notEqual(bytes, 0), "float32"));
  // Where it is 0, what is divided by it is not used.
  const n = tf.maximum(count, 1);
  const shift = finiteOrZero(tf, firstVisible(tf, elements, view, mask));
  const [mean, variance, remainder, downscale] = momentsAround(tf, elements, shift, view, {
    seen: (values) => tf.where(visible, values, 0),
    average: (sum) => tf.div(sum, n),
  });
  const seen = tf.greater(count, 0);
  return [tf.where(seen, mean, movingMean), tf.where(seen, variance, movingVariance), remainder, downscale, count];
}

/** Which elements are averaged, and over how many. */
interface Averaging {
  /** What of the values enters the sums. */
  seen(values: Tensor): Tensor;
  /** The mean of that, from its sum. */
  average(sum: Tensor): Tensor;
}

/**
 *     centre = shift + mean(x - shift)
 *     mean = centre + offset        offset = mean(x - centre)
 *     variance = mean((x - centre)^2) - offset^2
 *
 * Sums on a device are float32, so they must be sums of deviations (clauses 12.3 and 12.6). The shift is an element
 * of the channel, which may lie far outside, and x - shift is then inaccurate; x - centre is not, and the second mean
 * restores what the first one lost. The offset is rounding, so nothing cancels where its square is subtracted.
 */
function momentsAround(tf: Tf, elements: Tensor, shift: Tensor, { channels }: ChannelView, { seen, average }: Averaging): Tensor[] {
  const meanOf = (values: Tensor): Tensor => average(sumInKernel(tf, values));
  const centre = tf.add(shift, meanOf(seen(tf.sub(elements, shift))));
  const deviation = seen(tf.sub(elements, centre));
  // Of an infinite centre the differences are NaN, and the mean is infinite all the same (clause 11.1).
  const offset = finiteOrZero(tf, meanOf(deviation));
  const mean = tf.add(centre, offset);
  const remainder = finiteOrZero(tf, tf.sub(offset, tf.sub(mean, centre)));
  const variance = tf.sub(meanOf(tf.square(deviation)), tf.square(offset));
  // Where squares overflow the offset is nothing beside them.
  const downscaled = meanOf(tf.square(tf.mul(deviation, DOWNSCALE)));
  const fits = tf.isFinite(variance);
  const one = tf.onesLike(variance);
  const found = [mean, tf.where(fits, variance, downscaled), remainder, tf.where(fits, one, tf.mul(one, DOWNSCALE))];
  return found.map((tensor) => tf.reshape(tensor, [channels]));
}

/**
 * The elements at the first visible place, one a channel, since all channels share the mask; at the very first where
 * none is.
 */
function firstVisible(tf: Tf, elements: Tensor, { outer, inner }: ChannelView, mask: Tensor): Tensor {
  const visible = tf.reshape(tf.cast(mask, "int32"), [outer, inner]);
  const row = tf.reshape(tf.argMax(tf.max(visible, 1), 0), [1]);
  const rowElements = tf.gather(elements, row, 0);
  return inner === 1 ? rowElements : tf.gather(rowElements, tf.argMax(tf.gather(visible, row, 0), 1), 2);
}

/**
 * An infinite shift would turn an infinite mean into NaN (clause 11.1), and any finite one will do for a channel that
 * holds one.
 */
function finiteOrZero(tf: Tf, shift: Tensor): Tensor {
  return tf.where(tf.isFinite(shift), shift, tf.zerosLike(shift));
}
