import type { Check } from "../checks/check.ts";
import { AGAINST_ORACLE } from "./against-oracle.ts";
import { METAMORPHIC } from "./metamorphic.ts";
import { type PropertyOptions, propertyCheck } from "./property.ts";

/** The properties of the suite, with the cases that `options` draws. */
export function propertyChecks(options: PropertyOptions): readonly Check[] {
  return [...AGAINST_ORACLE, ...METAMORPHIC].map((property) => propertyCheck(property, options));
}
