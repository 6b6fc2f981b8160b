import type { ChannelView } from "@batchnorm/spec";
import type { Tensor, Tf } from "../../tf.ts";

/**
 * The shapes in which the composed arithmetic sees its tensors. Channels last drops the inner axis of 1: webgl packs the last two
 * axes into texels of two by two, and would leave half of each empty.
 */
export interface ViewShapes {
  /** `[outer, channels, inner]`. */
  readonly elements: number[];
  /** One number a channel, to be broadcast over the elements. */
  readonly channels: number[];
  /** One number a place, to be broadcast over the channels. */
  readonly places: number[];
}

export function viewShapes({ outer, channels, inner }: ChannelView): ViewShapes {
  if (inner === 1) return { elements: [outer, channels], channels: [1, channels], places: [outer, 1] };
  return { elements: [outer, channels, inner], channels: [1, channels, 1], places: [outer, 1, inner] };
}

/** The sum of each channel over `elements`, in the shape of `channels`. */
export function sumPerChannel(tf: Tf, elements: Tensor): Tensor {
  // The innermost axis first: it needs no transposition.
  if (elements.rank === 3) return tf.sum(tf.sum(elements, 2, true), 0, true);
  if (tf.getBackend() !== "webgpu") return tf.sum(elements, 0, true);
  // tfjs 4.22 transposes a matrix on webgpu through shared memory before it sums, an array of rank 3 without: [6272, 64] takes
  // 470 ms on SwiftShader as the one, 50 ms as the other.
  const [outer, channels] = elements.shape;
  return tf.reshape(tf.sum(tf.reshape(elements, [1, outer, channels]), [0, 1]), [1, channels]);
}
