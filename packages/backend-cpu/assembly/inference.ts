import { Call } from "./call";
import { NON_FINITE, NORMALIZE, RUNS } from "./layout";
import { findNonFinite } from "./non-finite";
import { normalizeColumns, normalizeRuns } from "./normalize";
import { firstPiece, loadPiece, nextPiece, storePiece, unitOf } from "./pieces";

/** What inference needs of the kernels, as index.ts has all of them. */
export function run(call: Call, scratch: usize): i32 {
  if (call.half === 0) return runOnFloat32(call);
  const piece = firstPiece(call, scratch);
  do {
    loadPiece(piece, call);
    const found = runOnFloat32(piece);
    if (found >= 0) return unitOf(piece, call) + found;
    storePiece(piece, call);
  } while (nextPiece(piece, call));
  return -1;
}

function runOnFloat32(call: Call): i32 {
  switch (call.kernel) {
    case NORMALIZE:
      normalizeColumns(call);
      break;
    case NORMALIZE + RUNS:
      normalizeRuns(call);
      break;
    case NON_FINITE:
      return findNonFinite(call);
    default:
      unreachable();
  }
  return -1;
}
