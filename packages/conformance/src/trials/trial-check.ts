import { type Worst, worse } from "../accuracy/compare.ts";
import { type Check, type Failure, failuresOutcome, type Outcome, outcomeOf, telling } from "../checks/check.ts";
import { runCase } from "../checks/golden.ts";
import { whySkipped } from "../checks/outline.ts";
import { thrownFailure } from "../checks/thrown.ts";
import { buildTrial, outlineOfTrial, type Trial, trialTraits } from "./trial.ts";

/** Trials that are one check: those that the backend cannot take are left out of it, and it is skipped where that is all of them. */
export interface TrialGroup {
  readonly id: string;
  readonly clause: string;
  readonly trials: readonly Trial[];
  /** Whether `--quick` leaves it out. */
  readonly slow?: boolean;
}

export function trialCheck({ id, clause, trials, slow = false }: TrialGroup, seed: number): Check {
  return {
    id,
    kind: "property",
    clause,
    slow,
    trials: trials.map(trialTraits),
    skip: (supports) => {
      const reasons = trials.map((trial) => whySkipped(outlineOfTrial(trial), supports));
      return reasons.includes(null) ? null : reasons[0];
    },
    run: async (backend) => {
      let worst: Worst | null = null;
      let failureCount = 0;
      const failures: Failure[] = [];
      const failed: number[] = [];
      const skipped: number[] = [];
      for (const [index, trial] of trials.entries()) {
        if (whySkipped(outlineOfTrial(trial), backend.supports) !== null) {
          skipped.push(index);
          continue;
        }
        const outcome = await runTrial(trial, clause, seed + index, backend);
        worst = worse(worst, outcome.worst);
        failureCount += outcome.failureCount;
        if (outcome.failureCount > 0) failed.push(index);
        failures.push(
          ...outcome.failures.map((failure) => ({
            ...failure,
            message: `${failure.message} It is the trial ${trial.name}, seed ${seed + index}.`,
          })),
        );
      }
      return { ...outcomeOf([]), worst, failures: telling(failures), failureCount, trials: { failed, skipped } };
    },
  };
}

async function runTrial(trial: Trial, clause: string, seed: number, backend: Parameters<Check["run"]>[0]): Promise<Outcome> {
  try {
    return await runCase(buildTrial(trial, clause, seed), backend);
  } catch (error) {
    return failuresOutcome([thrownFailure({ clause }, error, ".")]);
  }
}
