import type { Check } from "../checks/check.ts";
import { BUFFERS } from "./buffers.ts";
import { BUILDING } from "./building.ts";
import { CONFIGURATION } from "./configuration.ts";
import { CROWD } from "./crowd.ts";
import { DTYPES } from "./dtypes.ts";
import { GRADIENT } from "./gradient.ts";
import { HALVES } from "./halves.ts";
import { MEMORY } from "./memory.ts";
import { REJECTIONS } from "./non-finite.ts";
import { OPTIONS } from "./options.ts";
import { ORDER } from "./order.ts";
import { OUTPUT } from "./output.ts";
import { OWNERSHIP } from "./ownership.ts";
import { PLACEMENT } from "./placement.ts";
import { REFUSALS } from "./refusals.ts";
import { ruleCheck } from "./rule.ts";

/** All rules of the contract, as checks. */
export const CONTRACT_CHECKS: readonly Check[] = [
  ...CONFIGURATION,
  ...BUILDING,
  ...OPTIONS,
  ...DTYPES,
  ...HALVES,
  ...REFUSALS,
  ...REJECTIONS,
  ...OWNERSHIP,
  ...MEMORY,
  ...OUTPUT,
  ...BUFFERS,
  ...PLACEMENT,
  ...GRADIENT,
  ...ORDER,
  ...CROWD,
].map(ruleCheck);
