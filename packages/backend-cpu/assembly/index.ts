import { Call } from "./call";
import { gradientColumns, gradientColumnsMasked, gradientRuns, gradientRunsMasked } from "./gradient";
import { GRADIENT, MASKED, MERGE, MOMENTS, NON_FINITE, NORMALIZE, PROJECTIONS, RUNS } from "./layout";
import { merge } from "./merge";
import { findNonFinite } from "./non-finite";
import { normalizeColumns, normalizeRuns } from "./normalize";
import { firstPiece, loadPiece, nextPiece, storePiece, unitOf } from "./pieces";
import { momentsColumns, momentsColumnsMasked, momentsRuns, momentsRunsMasked, projectionsColumns, projectionsRuns } from "./sums";

export * from "./layout";

/** Makes one call; `scratch` is the thread's own, for half precision. Only a search has a result. */
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
    case MOMENTS:
      momentsColumns(call);
      break;
    case MOMENTS + MASKED:
      momentsColumnsMasked(call);
      break;
    case MOMENTS + RUNS:
      momentsRuns(call);
      break;
    case MOMENTS + RUNS + MASKED:
      momentsRunsMasked(call);
      break;
    case PROJECTIONS:
      projectionsColumns(call);
      break;
    case PROJECTIONS + RUNS:
      projectionsRuns(call);
      break;
    case GRADIENT:
      gradientColumns(call);
      break;
    case GRADIENT + MASKED:
      gradientColumnsMasked(call);
      break;
    case GRADIENT + RUNS:
      gradientRuns(call);
      break;
    case GRADIENT + RUNS + MASKED:
      gradientRunsMasked(call);
      break;
    case MERGE:
      merge(call);
      break;
    case NON_FINITE:
      return findNonFinite(call);
    default:
      unreachable();
  }
  return -1;
}
