import type { Check } from "../checks/check.ts";
import { AGAINST_ORACLE } from "./against-oracle.ts";
import { FIXED_CASES } from "./fixed-cases.ts";
import { METAMORPHIC } from "./metamorphic.ts";
import { type PropertyOptions, propertyCheck } from "./property.ts";

/** The properties of the suite, with the cases that `options` draws, and those that are always the same. */
export function propertyChecks(options: PropertyOptions): readonly Check[] {
  return [...[...AGAINST_ORACLE, ...METAMORPHIC].map((property) => propertyCheck(property, options)), ...FIXED_CASES];
}
