import type { AnyBackend, Outcome } from "../checks/check.ts";
import { runCase } from "../checks/golden.ts";
import type { Property } from "./property.ts";
import { buildCase, largeExamples, largeScenarios, type Scenario, type StepKind } from "./scenario.ts";

const TRAIN: StepKind = { training: true, trainable: true, gradient: false };
const INFER: StepKind = { training: false, trainable: true, gradient: false };

const LARGE = { draw: largeScenarios, examples: largeExamples, slow: true };

/** Random layers against the float64 oracle, within the derived bounds. */
export const AGAINST_ORACLE: readonly Property[] = [
  against("inference", "5.1", [INFER], []),
  against("training", "6.1", [TRAIN], ["training"]),
  against("trajectory", "7.5", [TRAIN, TRAIN, TRAIN, INFER, { ...TRAIN, trainable: false }, TRAIN], ["training"]),
  against("training-gradient", "10.1", [{ ...TRAIN, gradient: true }], ["training", "gradients"]),
  against("inference-gradient", "10.2", [{ ...INFER, gradient: true }], ["gradients"]),
  against("frozen-gradient", "10.4", [{ training: true, trainable: false, gradient: true }], ["gradients"]),
  { ...against("large-inference", "3.1", [INFER], []), ...LARGE },
  { ...against("large-training", "6.2", [TRAIN], ["training"]), ...LARGE },
  {
    ...against("large-gradient", "10.3", [{ ...TRAIN, gradient: true }], ["training", "gradients"]),
    ...LARGE,
  },
  {
    id: "property/oracle-two-layers",
    clause: "1.4",
    needs: [],
    holds: async (backend, scenario) => {
      // Both run at once, on inputs of one shape and two axes: every await of one lets the other go on.
      const { training, gradients } = backend.supports;
      const kinds = [INFER, ...(training ? [TRAIN, TRAIN, INFER] : [INFER])].map((kind) => ({ ...kind, gradient: gradients }));
      const other = { ...scenario, axis: -1 - scenario.axis, seed: scenario.seed + 1 };
      const found = await Promise.all(
        [scenario, other].map((each) => firstFailure(backend, "property/oracle-two-layers", "1.4", each, kinds)),
      );
      return found.find((failure) => failure !== null) ?? null;
    },
  },
];

function against(name: string, clause: string, kinds: readonly StepKind[], needs: Property["needs"]): Property {
  const id = `property/oracle-${name}`;
  return { id, clause, needs, holds: (backend, scenario) => firstFailure(backend, id, clause, scenario, kinds) };
}

async function firstFailure(
  backend: AnyBackend,
  id: string,
  clause: string,
  scenario: Scenario,
  kinds: readonly StepKind[],
): Promise<string | null> {
  const outcome: Outcome = await runCase(buildCase(id, clause, scenario, kinds), backend);
  return outcome.failures[0]?.message ?? null;
}
