import { Call } from "./call";
import { gradientColumns, gradientColumnsMasked, gradientRuns, gradientRunsMasked } from "./gradient";
import { GRADIENT, MASKED, MERGE, MOMENTS, NON_FINITE, NORMALIZE, PROJECTIONS, RUNS } from "./layout";
import { merge } from "./merge";
import { findNonFinite } from "./non-finite";
import { normalizeColumns, normalizeRuns } from "./normalize";
import { momentsColumns, momentsColumnsMasked, momentsRuns, momentsRunsMasked, projectionsColumns, projectionsRuns } from "./sums";

export * from "./layout";

/** Makes one call. Only a search has a result. */
export function run(call: Call): i32 {
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
