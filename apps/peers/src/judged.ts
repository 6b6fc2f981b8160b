import { type Check, caseCheck } from "@batchnorm/conformance";
import type { Supports } from "@batchnorm/spec";
import type { Peer } from "./peer.ts";
import { withSampleVariance } from "./sample-variance.ts";

/** A check as a peer is held against it. */
export interface JudgedCheck {
  readonly check: Check;
  /** Why the peer does not claim it; null where it is judged. */
  readonly declined: string | null;
}

/**
 * The rules of the contract that are about what a layer does, and not about our own API: in a library of another make there are no
 * codes of refusal, no `dispose` and no `out`.
 */
const RULES_OF_ANY_LAYER = ["contract/training-is-asked-for", "contract/frozen-from-the-start"];

/** The properties with cases of their own, which are about the population variance. */
const POPULATION_PROPERTIES = ["property/merged-moments", "property/oracle-large-training", "property/oracle-large-gradient"];

/**
 * What the suite asks of any implementation, our own API aside: golden vectors, properties, and the rules above. Checks of many layers
 * at once are left out: one mode that a peer does otherwise fails all of them.
 */
export function checksOfAnyLayer(suite: readonly Check[]): Check[] {
  return suite.filter(({ id, kind, trials }) => {
    if (kind === "contract") return RULES_OF_ANY_LAYER.includes(id);
    return trials === undefined && !id.startsWith("life/");
  });
}

/** All these checks, with what a peer of such a manifest claims of them. */
export function judgedChecks(checks: readonly Check[], supports: Supports, { declines }: Pick<Peer, "declines">): JudgedCheck[] {
  return checks.map((each) => {
    const check = asClaimed(each, supports);
    return { check, declined: whyDeclined(each, check, supports) ?? declines?.(each) ?? null };
  });
}

/** A golden vector for a peer whose moving variance is always that of the sample. */
function asClaimed(check: Check, supports: Supports): Check {
  if (supports.varianceEstimators.includes("population") || check.kind !== "vector" || check.case === undefined) return check;
  const sample = withSampleVariance(check.case);
  return sample === null ? check : caseCheck(sample);
}

function whyDeclined(original: Check, check: Check, supports: Supports): string | null {
  const knowsPopulation = supports.varianceEstimators.includes("population");
  if (!knowsPopulation && POPULATION_PROPERTIES.includes(original.id)) return "the moving variance takes the sample variance";
  return check.skip(supports);
}
