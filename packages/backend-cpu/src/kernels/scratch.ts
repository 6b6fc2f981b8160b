import { type Float32Constants, newFloat32Constants } from "../simd/float32.ts";
import { ByChannels } from "./by-channels.ts";
import type { Engine } from "./engine.ts";

/** What one call works with, `[channels]`. */
export interface ScratchArrays {
  readonly origin: Float64Array;
  readonly pull: Float64Array;
  readonly offset: Float64Array;
  readonly zeros: Float64Array;
  readonly float32: Float32Constants;
}

/** What a call on so many channels works with. */
export function scratchArrays(engine: Engine, channels: number): ScratchArrays {
  engine.scratch ??= new ByChannels(newArrays);
  return engine.scratch.get(channels);
}

function newArrays(channels: number): ScratchArrays {
  const float64 = (): Float64Array => new Float64Array(channels);
  return { origin: float64(), pull: float64(), offset: float64(), zeros: float64(), float32: newFloat32Constants(channels, true) };
}
