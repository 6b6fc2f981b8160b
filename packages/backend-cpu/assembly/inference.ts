import { Call } from "./call";
import { NON_FINITE, NORMALIZE, RUNS } from "./layout";
import { findNonFinite } from "./non-finite";
import { normalizeColumns, normalizeRuns } from "./normalize";

/** What inference needs of the kernels, as index.ts has all of them. */
export function run(call: Call): i32 {
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
