import type { AnyBackend } from "@batchnorm/conformance";
import fc from "fast-check";
import { type Sequence, sequences } from "./deeds.ts";
import { firstDifference } from "./differences.ts";
import { runDeeds } from "./run-deeds.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** How many sequences. */
  readonly runs: number;
  /** Ends the search for a difference before all runs; milliseconds. */
  readonly milliseconds?: number;
}

/** The smallest sequence found on which a backend differs from the reference. */
export interface Finding {
  readonly sequence: Sequence;
  readonly difference: string;
}

/** Runs random sequences on the reference and on a backend, until one differs. */
export async function fuzz(
  reference: AnyBackend,
  backend: AnyBackend,
  { seed, runs, milliseconds }: FuzzOptions,
): Promise<{ readonly runs: number; readonly finding: Finding | null }> {
  const differenceIn = async (sequence: Sequence): Promise<string | null> => {
    const [wanted, found] = [await runDeeds(reference, sequence, true), await runDeeds(backend, sequence, false)];
    return firstDifference(sequence, { outcomes: wanted, accuracy: reference.supports }, { outcomes: found, accuracy: backend.supports });
  };
  const property = fc.asyncProperty(sequences, async (sequence) => (await differenceIn(sequence)) === null);
  const limit = milliseconds === undefined ? {} : { interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false };
  const { failed, counterexample, numRuns } = await fc.check(property, { seed, numRuns: runs, ...limit });
  if (!failed || counterexample === null) return { runs: numRuns, finding: null };
  const [sequence] = counterexample;
  return { runs: numRuns, finding: { sequence, difference: (await differenceIn(sequence)) ?? "a difference that does not come again" } };
}
