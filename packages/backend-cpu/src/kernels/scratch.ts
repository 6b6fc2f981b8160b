import { type Float32Constants, newFloat32Constants } from "../simd/float32.ts";

/** What one call works with, `[channels]` or longer. */
export interface ScratchArrays {
  readonly origin: Float64Array;
  readonly pull: Float64Array;
  readonly offset: Float64Array;
  readonly zeros: Float64Array;
  readonly float32: Float32Constants;
}

/** Arrays for more channels than this are made anew for every call: 48 bytes a channel that nobody may need again. */
const MOST_KEPT = 2 ** 16;

/** Arrays that calls use one after another, of the size of the widest so far. */
export class Scratch {
  #capacity = 0;
  #arrays: ScratchArrays = newArrays(0);

  arrays(channels: number): ScratchArrays {
    if (channels > MOST_KEPT) return newArrays(channels);
    if (channels > this.#capacity) {
      this.#capacity = Math.min(Math.max(2 * this.#capacity, channels), MOST_KEPT);
      this.#arrays = newArrays(this.#capacity);
    }
    return this.#arrays;
  }
}

function newArrays(length: number): ScratchArrays {
  const float64 = (): Float64Array => new Float64Array(length);
  return {
    origin: float64(),
    pull: float64(),
    offset: float64(),
    zeros: float64(),
    float32: newFloat32Constants(length, true),
  };
}
