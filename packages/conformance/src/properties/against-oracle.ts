import type { AnyBackend, Outcome } from "../checks/check.ts";
import { runCase } from "../checks/golden.ts";
import type { Property } from "./property.ts";
import { buildCase, type Scenario, type StepKind } from "./scenario.ts";

const TRAIN: StepKind = { training: true, trainable: true, gradient: false };
const INFER: StepKind = { training: false, trainable: true, gradient: false };

/** Random layers against the float64 oracle, within the derived bounds. */
export const AGAINST_ORACLE: readonly Property[] = [
  against("inference", "5.1", [INFER], []),
  against("training", "6.1", [TRAIN], ["training"]),
  against("trajectory", "7.5", [TRAIN, TRAIN, TRAIN, INFER, { ...TRAIN, trainable: false }, TRAIN], ["training"]),
  against("training-gradient", "10.1", [{ ...TRAIN, gradient: true }], ["training", "gradients"]),
  against("inference-gradient", "10.2", [{ ...INFER, gradient: true }], ["gradients"]),
  against("frozen-gradient", "10.4", [{ training: true, trainable: false, gradient: true }], ["gradients"]),
];

function against(name: string, clause: string, kinds: readonly StepKind[], needs: Property["needs"]): Property {
  const id = `property/oracle-${name}`;
  return { id, clause, needs, holds: (backend, scenario) => firstFailure(backend, id, clause, scenario, kinds) };
}

async function firstFailure(backend: AnyBackend, id: string, clause: string, scenario: Scenario, kinds: readonly StepKind[]): Promise<string | null> {
  const outcome: Outcome = await runCase(buildCase(id, clause, scenario, kinds), backend);
  return outcome.failures[0]?.message ?? null;
}
