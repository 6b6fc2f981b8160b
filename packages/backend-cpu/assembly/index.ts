export { gradientColumns, gradientColumnsMasked, gradientRuns, gradientRunsMasked } from "./gradient";
export * from "./layout";
export { merge } from "./merge";
export { findNonFinite } from "./non-finite";
export { normalizeColumns, normalizeRuns } from "./normalize";
export {
  momentsColumns,
  momentsColumnsMasked,
  momentsRuns,
  momentsRunsMasked,
  projectionsColumns,
  projectionsRuns,
} from "./sums";
