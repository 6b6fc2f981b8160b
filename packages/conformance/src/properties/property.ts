import type { Supports } from "@batchnorm/spec";
import * as fc from "fast-check";
import { type AnyBackend, type Check, outcomeOf } from "../checks/check.ts";
import { type Scenario, scenarios } from "./scenario.ts";

/** Something that holds for every layer and every batch. */
export interface Property {
  readonly id: string;
  readonly clause: string;
  readonly needs: readonly ("training" | "gradients" | "masks")[];
  /** Whether `--quick` leaves it out. */
  readonly slow?: boolean;
  /** Where it is not `scenarios`: what is drawn, and what is always tried first. */
  readonly draw?: (supports: Supports) => fc.Arbitrary<Scenario>;
  readonly examples?: (supports: Supports) => readonly Scenario[];
  /** What is wrong with the backend on this scenario, or null. */
  holds(backend: AnyBackend, scenario: Scenario): Promise<string | null>;
}

/** How the random cases are drawn: the same seed gives the same cases. */
export interface PropertyOptions {
  readonly seed: number;
  readonly runs: number;
}

/** A property as a check: fast-check draws the scenarios and shrinks the one that fails. */
export function propertyCheck(property: Property, { seed, runs }: PropertyOptions): Check {
  return {
    id: property.id,
    kind: "property",
    clause: property.clause,
    slow: property.slow ?? false,
    skip: (supports) => {
      const missing = property.needs.find((need) => !supports[need]);
      return missing === undefined ? null : `${missing} is not supported`;
    },
    run: async (backend) => {
      const { draw = scenarios, examples = () => [] } = property;
      const holds = fc.asyncProperty(draw(backend.supports), async (scenario) => {
        const violation = await property.holds(backend, scenario);
        if (violation !== null) throw new Error(violation);
      });
      const details = await fc.check(holds, {
        seed,
        numRuns: runs,
        examples: examples(backend.supports).map((example): [Scenario] => [example]),
      });
      if (!details.failed) return outcomeOf([]);
      const reason = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
      return outcomeOf([
        `${reason} Smallest case after ${details.numShrinks} shrinks, seed ${details.seed}: ${JSON.stringify(details.counterexample?.[0])}.`,
      ]);
    },
  };
}
