import type { Check } from "../checks/check.ts";
import type { MutantResult } from "../report.ts";
import { runCheck } from "../run.ts";
import { clauseMatches } from "../selection.ts";
import { CONFIGURATION_MUTANTS } from "./configuration-mutants.ts";
import { GRADIENT_MUTANTS } from "./gradient-mutants.ts";
import { LIFE_MUTANTS } from "./life-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { NORMALIZATION_MUTANTS } from "./normalization-mutants.ts";
import { STATISTICS_MUTANTS } from "./statistics-mutants.ts";

/** Every mutant that the suite has to catch. */
export const MUTANTS: readonly Mutant[] = [
  ...NORMALIZATION_MUTANTS,
  ...STATISTICS_MUTANTS,
  ...GRADIENT_MUTANTS,
  ...CONFIGURATION_MUTANTS,
  ...LIFE_MUTANTS,
];

/** Runs the checks of a mutant's own clauses until one of them fails: that one has caught it. */
export async function runMutant({ name, fault, clauses, create }: Mutant, checks: readonly Check[]): Promise<MutantResult> {
  const backend = create();
  for (const check of checks) {
    if (!clauses.some((clause) => clauseMatches(check.clause, clause))) continue;
    const result = await runCheck(backend, check);
    if (result.status === "failed") {
      return { mutant: name, fault, clauses, caughtBy: { clause: check.clause, id: check.id, message: result.failures[0]?.message ?? "" } };
    }
  }
  return { mutant: name, fault, clauses, caughtBy: null };
}
