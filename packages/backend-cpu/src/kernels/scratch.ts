import { type Float32Constants, newFloat32Constants } from "../simd/float32.ts";
import type { Engine } from "./engine.ts";

/** What one call works with, `[channels]`. */
export interface ScratchArrays {
  readonly origin: Float64Array;
  readonly pull: Float64Array;
  readonly offset: Float64Array;
  readonly zeros: Float64Array;
  readonly float32: Float32Constants;
}

/** Arrays are kept for as many numbers of channels, and for no more channels than this: 48 bytes each, 6 MB in all. */
const MOST_KEPT = 16;
const WIDEST_KEPT = 8192;

/** Arrays that calls use one after another, by the number of channels. */
export class Scratch {
  readonly #kept = new Map<number, ScratchArrays>();

  arrays(channels: number): ScratchArrays {
    const kept = this.#kept.get(channels);
    if (kept !== undefined) return kept;
    const arrays = newArrays(channels);
    if (channels > WIDEST_KEPT) return arrays;
    if (this.#kept.size === MOST_KEPT) this.#kept.clear();
    this.#kept.set(channels, arrays);
    return arrays;
  }
}

/** What a call on so many channels works with. */
export function scratchArrays(engine: Engine, channels: number): ScratchArrays {
  engine.scratch ??= new Scratch();
  return engine.scratch.arrays(channels);
}

function newArrays(channels: number): ScratchArrays {
  const float64 = (): Float64Array => new Float64Array(channels);
  return { origin: float64(), pull: float64(), offset: float64(), zeros: float64(), float32: newFloat32Constants(channels, true) };
}
