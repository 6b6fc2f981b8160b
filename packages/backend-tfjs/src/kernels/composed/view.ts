import type { ChannelView } from "@batchnorm/spec";

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
