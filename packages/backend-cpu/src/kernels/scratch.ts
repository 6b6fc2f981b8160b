import { type Float32Constants, newFloat32Constants } from "../simd/float32.ts";
import { ByChannels } from "./by-channels.ts";

/** What one call works with, `[channels]`. */
export interface ScratchArrays {
  readonly origin: Float64Array;
  readonly pull: Float64Array;
  readonly offset: Float64Array;
  readonly zeros: Float64Array;
  readonly float32: Float32Constants;
}

/** Who keeps such arrays; null until they are first needed, which inference never does. */
export interface ScratchOwner {
  scratch: ByChannels<ScratchArrays> | null;
}

/** What a call on so many channels works with. */
export function scratchArrays(owner: ScratchOwner, channels: number): ScratchArrays {
  owner.scratch ??= new ByChannels(newArrays);
  return owner.scratch.get(channels);
}

function newArrays(channels: number): ScratchArrays {
  const float64 = (): Float64Array => new Float64Array(channels);
  return { origin: float64(), pull: float64(), offset: float64(), zeros: float64(), float32: newFloat32Constants(channels, true) };
}
