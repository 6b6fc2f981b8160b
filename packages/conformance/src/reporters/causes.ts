import type { CaseResult } from "../report.ts";

/** What failed checks have in common, whatever their clauses: one fault of a backend is often all checks of one trait. */
export interface Cause {
  /** Empty where nearly everything fails. */
  readonly traits: readonly string[];
  /** How many checks with these traits fail, of how many that were run. */
  readonly failed: number;
  readonly of: number;
  /** The same of all other checks. */
  readonly others: { readonly failed: number; readonly of: number };
}

/** Fewer failures are read faster than grouped. */
const FEWEST = 4;

/** A trait is a cause where nearly all checks with it fail, and they are a good part of the failures. */
const PRECISION = 0.75;
const RECALL = 0.4;

const MOST_CAUSES = 3;

/**
 * Traits that explain the failures, the best first: each is the trait, or pair of traits, that tells failed checks from passed ones
 * best (the harmonic mean of how many with it fail and of how many failures have it), of what those before it left unexplained.
 */
export function findCauses(cases: readonly CaseResult[]): Cause[] {
  const tried = cases.filter(({ status, traits }) => traits.length > 0 && (status === "passed" || status === "failed"));
  const failed = tried.filter(({ status }) => status === "failed");
  const causes: Cause[] = [];
  let left = failed;
  while (left.length >= FEWEST && causes.length < MOST_CAUSES) {
    const traits = bestTraits(tried, left);
    if (traits === null) break;
    causes.push(count(traits, tried));
    left = left.filter((each) => !hasAll(each, traits));
  }
  return causes;
}

/** The traits that tell the failures from all other checks best; null where none does it well. */
function bestTraits(tried: readonly CaseResult[], failed: readonly CaseResult[]): readonly string[] | null {
  // Where everything fails, any trait would do, and none is the cause.
  let best: readonly string[] = [];
  let bestScore = score([], tried, failed);
  const names = [...new Set(failed.flatMap(({ traits }) => traits))];
  for (const [index, first] of names.entries()) {
    for (const traits of [[first], ...names.slice(index + 1).map((second) => [first, second])]) {
      const found = score(traits, tried, failed);
      // A pair has to be clearly better than what is said in fewer words.
      if (found > bestScore + 0.03 * Math.max(1, traits.length - best.length)) [best, bestScore] = [traits, found];
    }
  }
  return bestScore > 0 ? best : null;
}

function score(traits: readonly string[], tried: readonly CaseResult[], failed: readonly CaseResult[]): number {
  const among = failed.filter((each) => hasAll(each, traits)).length;
  const all = tried.filter((each) => hasAll(each, traits)).length;
  const [precision, recall] = [among / all, among / failed.length];
  return precision < PRECISION || recall < RECALL ? 0 : (2 * precision * recall) / (precision + recall);
}

function count(traits: readonly string[], tried: readonly CaseResult[]): Cause {
  const sum = (cases: readonly CaseResult[]) => ({ failed: cases.filter(({ status }) => status === "failed").length, of: cases.length });
  const others = sum(tried.filter((each) => !hasAll(each, traits)));
  return { traits, ...sum(tried.filter((each) => hasAll(each, traits))), others };
}

function hasAll({ traits }: CaseResult, wanted: readonly string[]): boolean {
  return wanted.every((trait) => traits.includes(trait));
}
