import type { Statistics } from "@batchnorm/spec";

/** How far the statistics of one channel moved. */
export interface ChannelDrift {
  readonly channel: number;
  readonly oldMean: number;
  readonly newMean: number;
  readonly oldVariance: number;
  readonly newVariance: number;
  /** |new mean - old mean| / sqrt(old variance + epsilon): 1 means that the layer's output was off by one gamma. */
  readonly shift: number;
  /** sqrt((new variance + epsilon) / (old variance + epsilon)): 2 means that the layer's output was twice as wide as it should be. */
  readonly spread: number;
  /** The larger of `shift` and |ln spread|; 0 where nothing moved. */
  readonly drift: number;
}

/** How far the statistics of a layer moved: all channels, the one that moved most first. */
export interface LayerDrift {
  readonly layer: string;
  readonly drift: number;
  readonly channels: readonly ChannelDrift[];
}

/** Inference is right only on data like that of the statistics. This says how far the new data is from it. */
export function driftOf(layer: string, before: Statistics, after: Statistics, epsilon: number): LayerDrift {
  const channels = Array.from(before.movingMean, (oldMean, channel): ChannelDrift => {
    const newMean = after.movingMean[channel];
    const oldVariance = before.movingVariance[channel];
    const newVariance = after.movingVariance[channel];
    const shift = Math.abs(newMean - oldMean) / Math.sqrt(oldVariance + epsilon);
    const spread = Math.sqrt((newVariance + epsilon) / (oldVariance + epsilon));
    return { channel, oldMean, newMean, oldVariance, newVariance, shift, spread, drift: Math.max(shift, Math.abs(Math.log(spread))) };
  });
  channels.sort((a, b) => b.drift - a.drift || a.channel - b.channel);
  return { layer, drift: channels[0]?.drift ?? 0, channels };
}
