import { Call } from "./call";
import { runOnFloat32 } from "./float32";
import { runInPieces } from "./pieces";

/** Makes one call; `scratch` is SCRATCH_BYTES of the thread's own. Only a search has a result. */
export function run(call: Call, scratch: usize): i32 {
  return call.half === 0 ? runOnFloat32(call) : runInPieces(call, scratch);
}
