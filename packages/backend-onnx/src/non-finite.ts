import type { ChannelView } from "@batchnorm/spec";

/** The first NaN or infinity of x and the channel it lies in, or null (clause 11.2). */
export function findNonFinite(x: Float32Array, { channels, inner }: ChannelView): { channel: number; value: number } | null {
  const k = x.findIndex((value) => !Number.isFinite(value));
  return k < 0 ? null : { channel: Math.floor(k / inner) % channels, value: x[k] };
}
