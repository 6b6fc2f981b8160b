import { type Check, clauseMatches, type MutantResult, type Progress, runCheck } from "@batchnorm/conformance";
import { MUTANTS } from "./all.ts";
import type { Mutant } from "./mutant.ts";

/** Runs the checks of a mutant's own clauses until one of them fails: that one has caught it. */
export async function runMutant({ name, fault, clauses, create }: Mutant, checks: readonly Check[]): Promise<MutantResult> {
  const backend = create();
  const cited = checks.filter((check) => clauses.some((clause) => clauseMatches(check.clause, clause)));
  // The slow ones last: few mutants need them.
  for (const check of [...cited.filter(({ slow }) => !slow), ...cited.filter(({ slow }) => slow)]) {
    const result = await runCheck(backend, check);
    if (result.status === "failed") {
      return { mutant: name, fault, clauses, caughtBy: { clause: check.clause, id: check.id, message: result.failures[0]?.message ?? "" } };
    }
  }
  return { mutant: name, fault, clauses, caughtBy: null };
}

/** Runs all mutants, or those that are given, one after another. */
export async function runMutants(
  checks: readonly Check[],
  onProgress: (progress: Progress) => void = () => {},
  mutants: readonly Mutant[] = MUTANTS,
): Promise<MutantResult[]> {
  const results: MutantResult[] = [];
  for (const mutant of mutants) {
    const last = await runMutant(mutant, checks);
    results.push(last);
    onProgress({ backend: "mutants", done: results.length, total: mutants.length, last });
  }
  return results;
}
