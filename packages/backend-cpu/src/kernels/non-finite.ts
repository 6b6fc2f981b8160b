import type { NonFiniteElement } from "@batchnorm/spec";
import { type Elements, elementAt, type TensorView } from "../memory/elements.ts";
import { sweepNonFinite } from "../simd/sweep.ts";
import { type Engine, memoryFor } from "./engine.ts";

/** The first NaN or infinity of x, and its channel; null for none (clause 11.2). */
export function findNonFinite(engine: Engine, x: Elements, { channels, inner, half }: TensorView): NonFiniteElement | null {
  const memory = memoryFor(engine, x.length);
  const found = memory === null ? findPlain(x, half) : sweepNonFinite(memory, x, half ?? 0);
  return found < 0 ? null : { channel: Math.floor(found / inner) % channels, value: elementAt(x, found, half) };
}

function findPlain(x: Elements, half: number | undefined): number {
  // Only for a NaN and an infinity x - x is not 0.
  for (let k = 0; k < x.length; k++) {
    const value = elementAt(x, k, half);
    if (value - value !== 0) return k;
  }
  return -1;
}
