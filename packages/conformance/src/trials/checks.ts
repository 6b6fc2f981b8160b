import type { Check } from "../checks/check.ts";
import { HALVES } from "./halves.ts";
import { HISTORIES } from "./histories.ts";
import { SIZES } from "./sizes.ts";
import { trialCheck } from "./trial-check.ts";
import { VALUES } from "./values.ts";

/** All trials of the suite, with the numbers that `seed` draws. */
export function trialChecks(seed: number): readonly Check[] {
  return [...SIZES, ...VALUES, ...HALVES, ...HISTORIES].map((group) => trialCheck(group, seed));
}
