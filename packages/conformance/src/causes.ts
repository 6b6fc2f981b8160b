import type { Check } from "./checks/check.ts";
import type { CaseResult, Cause } from "./report.ts";

/** A layer that was tried. */
interface Tried {
  readonly id: string;
  readonly traits: ReadonlySet<string>;
  readonly failed: boolean;
}

/** Fewer failures are read faster than grouped. */
const FEWEST = 4;

/** A trait is a cause where nearly all layers with it fail, and they are a good part of the failures. */
const PRECISION = 0.75;
const RECALL = 0.4;

const MOST_CAUSES = 3;

/**
 * Traits that explain the failures, the best first: each is the trait, or pair of traits, that tells failed layers from sound ones best
 * (by the harmonic mean of how many with it fail and of how many failures have it), of what those before it left unexplained.
 */
export function findCauses(cases: readonly CaseResult[], checks: readonly Check[]): Cause[] {
  const results = new Map(cases.map((each) => [each.id, each]));
  const tried = checks.flatMap((check) => layersOf(check, results.get(check.id)));
  const causes: Cause[] = [];
  let left = tried.filter(({ failed }) => failed);
  while (left.length >= FEWEST && causes.length < MOST_CAUSES) {
    const traits = bestTraits(tried, left);
    if (traits === null) break;
    // A layer that was drawn says nothing of how many there are like it, but may have the same fault.
    const drawn = cases.filter((each) => each.status === "failed" && each.traits !== undefined && includesAll(each.traits, traits));
    const checks = new Set([...left.filter((each) => hasAll(each, traits)), ...drawn].map(({ id }) => id));
    causes.push({ ...count(traits, tried), checks: cases.filter(({ id }) => checks.has(id)).map(({ id }) => id) });
    left = left.filter((each) => !hasAll(each, traits));
  }
  return causes;
}

/** The layers of a check that is about layers, and how it went with each. */
function layersOf({ id, traits, trials }: Check, result: CaseResult | undefined): Tried[] {
  if (result === undefined || (result.status !== "passed" && result.status !== "failed")) return [];
  if (traits !== undefined) return [{ id, traits: new Set(traits), failed: result.status === "failed" }];
  if (trials === undefined || result.trials === undefined) return [];
  const { failed, skipped } = result.trials;
  return trials
    .map((each, index) => ({ id, traits: new Set(each), failed: failed.includes(index) }))
    .filter((_, index) => !skipped.includes(index));
}

/** The traits that tell the failures from all others best; null where none does it well. */
function bestTraits(tried: readonly Tried[], failed: readonly Tried[]): readonly string[] | null {
  // Where everything fails, any trait would do, and none is the cause.
  let best: readonly string[] = [];
  let bestScore = score([], tried, failed);
  const names = [...new Set(failed.flatMap(({ traits }) => [...traits]))];
  const pairs = names.flatMap((first, index) => names.slice(index + 1).map((second) => [first, second]));
  for (const traits of [...names.map((name) => [name]), ...pairs]) {
    const found = score(traits, tried, failed);
    // A pair has to be clearly better than what is said in fewer words.
    if (found > bestScore + 0.03 * Math.max(0, traits.length - best.length)) [best, bestScore] = [traits, found];
  }
  return bestScore > 0 ? best : null;
}

function score(traits: readonly string[], tried: readonly Tried[], failed: readonly Tried[]): number {
  const among = failed.filter((each) => hasAll(each, traits)).length;
  if (among < RECALL * failed.length) return 0;
  const precision = among / tried.filter((each) => hasAll(each, traits)).length;
  const recall = among / failed.length;
  return precision < PRECISION ? 0 : (2 * precision * recall) / (precision + recall);
}

function count(traits: readonly string[], tried: readonly Tried[]): Omit<Cause, "checks"> {
  const sum = (layers: readonly Tried[]) => ({ failed: layers.filter(({ failed }) => failed).length, of: layers.length });
  const others = sum(tried.filter((each) => !hasAll(each, traits)));
  return { traits, ...sum(tried.filter((each) => hasAll(each, traits))), others };
}

function includesAll(traits: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((trait) => traits.includes(trait));
}

function hasAll({ traits }: Tried, wanted: readonly string[]): boolean {
  return wanted.every((trait) => traits.has(trait));
}
