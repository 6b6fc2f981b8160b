import type { Check } from "../checks/check.ts";
import { CONFIGURATION } from "./configuration.ts";
import { GRADIENT } from "./gradient.ts";
import { MEMORY } from "./memory.ts";
import { REJECTIONS } from "./non-finite.ts";
import { ORDER } from "./order.ts";
import { OUTPUT } from "./output.ts";
import { OWNERSHIP } from "./ownership.ts";
import { REFUSALS } from "./refusals.ts";
import { ruleCheck } from "./rule.ts";

/** All rules of the contract, as checks. */
export const CONTRACT_CHECKS: readonly Check[] = [
  ...CONFIGURATION,
  ...REFUSALS,
  ...REJECTIONS,
  ...OWNERSHIP,
  ...MEMORY,
  ...OUTPUT,
  ...GRADIENT,
  ...ORDER,
].map(ruleCheck);
