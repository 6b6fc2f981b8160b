import type { Check } from "../checks/check.ts";
import { LIFECYCLE } from "./lifecycle.ts";
import { REFUSALS } from "./refusals.ts";
import { ruleCheck } from "./rule.ts";

/** All rules of the contract, as checks. */
export const CONTRACT_CHECKS: readonly Check[] = [...REFUSALS, ...LIFECYCLE].map(ruleCheck);
