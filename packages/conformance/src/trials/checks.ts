import type { Check } from "../checks/check.ts";
import { SIZES } from "./sizes.ts";
import { trialCheck } from "./trial-check.ts";

/** All trials of the suite, with the numbers that `seed` draws. */
export function trialChecks(seed: number): readonly Check[] {
  return [...SIZES].map((group) => trialCheck(group, seed));
}
