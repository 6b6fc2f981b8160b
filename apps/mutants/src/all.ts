import { CONFIGURATION_MUTANTS } from "./configuration-mutants.ts";
import { GRADIENT_MUTANTS } from "./gradient-mutants.ts";
import { HALF_MUTANTS } from "./half-mutants.ts";
import { LIFE_MUTANTS } from "./life-mutants.ts";
import { MEMORY_MUTANTS } from "./memory-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { NORMALIZATION_MUTANTS } from "./normalization-mutants.ts";
import { PASS_MUTANTS } from "./pass-mutants.ts";
import { SIZE_MUTANTS } from "./size-mutants.ts";
import { STATISTICS_MUTANTS } from "./statistics-mutants.ts";
import { USE_MUTANTS } from "./use-mutants.ts";
import { VALUE_MUTANTS } from "./value-mutants.ts";

/** Every mutant that the suite has to catch. */
export const MUTANTS: readonly Mutant[] = [
  ...NORMALIZATION_MUTANTS,
  ...STATISTICS_MUTANTS,
  ...GRADIENT_MUTANTS,
  ...CONFIGURATION_MUTANTS,
  ...PASS_MUTANTS,
  ...LIFE_MUTANTS,
  ...MEMORY_MUTANTS,
  ...SIZE_MUTANTS,
  ...VALUE_MUTANTS,
  ...USE_MUTANTS,
  ...HALF_MUTANTS,
];
