import { Call } from "./call";
import { gradientColumns, gradientColumnsMasked, gradientRuns, gradientRunsMasked } from "./gradient";
import { GRADIENT, MASKED, MERGE, MOMENTS, NON_FINITE, NORMALIZE, PROJECTIONS, RUNS } from "./layout";
import { merge } from "./merge";
import { findNonFinite } from "./non-finite";
import { normalizeColumns, normalizeRuns } from "./normalize";
import { momentsColumns, momentsColumnsMasked, momentsRuns, momentsRunsMasked, projectionsColumns, projectionsRuns } from "./sums";

/** Makes one call on float32. Only a search has a result. */
export function runOnFloat32(call: Call): i32 {
  if (call.kernel === NON_FINITE) return findNonFinite(call);
  if (call.kernel === NORMALIZE) normalizeColumns(call);
  else if (call.kernel === NORMALIZE + RUNS) normalizeRuns(call);
  // Set by the build: without it there are the kernels of inference alone.
  // @ts-expect-error
  else if (TRAINING) train(call);
  else unreachable();
  return -1;
}

function train(call: Call): void {
  switch (call.kernel) {
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
    default:
      unreachable();
  }
}
