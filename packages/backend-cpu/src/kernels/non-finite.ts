import type { ChannelView, NonFiniteElement } from "@batchnorm/spec";
import { sweepNonFinite } from "../simd/sweep.ts";
import { type Engine, memoryFor } from "./engine.ts";

/** The first NaN or infinity of x, and its channel; null for none (clause 11.2). */
export function findNonFinite(engine: Engine, x: Float32Array, { channels, inner }: ChannelView): NonFiniteElement | null {
  const memory = memoryFor(engine, x.length);
  const found = memory === null ? findPlain(x) : sweepNonFinite(memory, x);
  return found < 0 ? null : { channel: Math.floor(found / inner) % channels, value: x[found] };
}

function findPlain(x: Float32Array): number {
  // Only for a NaN and an infinity x - x is not 0.
  for (let k = 0; k < x.length; k++) if (x[k] - x[k] !== 0) return k;
  return -1;
}
