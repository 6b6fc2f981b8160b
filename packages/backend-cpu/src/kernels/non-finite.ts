import type { ChannelView } from "@batchnorm/spec";

/** An element of x that is no finite number, and its channel. */
export interface NonFiniteElement {
  readonly channel: number;
  readonly value: number;
}

/** The first NaN or infinity of x, or null (clause 11.2). */
export function findNonFinite(x: Float32Array, view: ChannelView): NonFiniteElement | null {
  for (let k = 0; k < x.length; k++) if (!Number.isFinite(x[k])) return nonFiniteAt(x, view, k);
  return null;
}

/** Says what lies at offset k. */
export function nonFiniteAt(x: Float32Array, { channels, inner }: ChannelView, k: number): NonFiniteElement {
  return { channel: Math.floor(k / inner) % channels, value: x[k] };
}
