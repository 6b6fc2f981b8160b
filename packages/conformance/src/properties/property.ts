import type { Supports } from "@batchnorm/spec";
import * as fc from "fast-check";
import { type AnyBackend, type Check, failuresOutcome, outcomeOf } from "../checks/check.ts";
import { type Need, whyLacking } from "../checks/needs.ts";
import { thrownFailure } from "../checks/thrown.ts";
import { layerTraits } from "../checks/traits.ts";
import { type Scenario, scenarios } from "./scenario.ts";

/** Something that holds for every layer and every batch. */
export interface Property {
  readonly id: string;
  readonly clause: string;
  readonly needs: readonly Need[];
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
    skip: (supports) => whyLacking(property.needs, supports),
    run: async (backend) => {
      const { draw = scenarios, examples = () => [] } = property;
      const holds = fc.asyncProperty(draw(backend.supports), async (scenario) => {
        const violation = await property.holds(backend, scenario);
        if (violation !== null) throw new Violation(violation);
      });
      const details = await fc.check(holds, {
        seed,
        numRuns: runs,
        examples: examples(backend.supports).map((example): [Scenario] => [example]),
      });
      if (!details.failed) return outcomeOf([]);
      const [scenario] = details.counterexample ?? [];
      const smallest = ` Smallest case after ${details.numShrinks} shrinks, seed ${details.seed}: ${JSON.stringify(scenario)}.`;
      const error = details.errorInstance;
      const failure =
        error instanceof Violation ? { message: `${error.message}${smallest}` } : thrownFailure(property, error, `.${smallest}`);
      return { ...failuresOutcome([failure]), ...(scenario && { traits: traitsOf(property, scenario) }) };
    },
  };
}

/** What does not hold: to be told from what the backend throws. */
class Violation extends Error {}

/** What a scenario has in common with other layers, as far as the property alone says what is done with it. */
function traitsOf({ needs }: Property, { shape, axis, config, masked }: Scenario): string[] {
  const training = needs.includes("training");
  return layerTraits({
    config: { ...config, axis },
    steps: [{ shape, training, trainable: true, gradient: needs.includes("gradients"), masked }],
  });
}
