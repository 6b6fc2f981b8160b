export { MUTANTS } from "./all.ts";
export type { Mutant } from "./mutant.ts";
export { runMutant, runMutants } from "./run.ts";
