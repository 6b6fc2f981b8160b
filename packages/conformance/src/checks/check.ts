import type { Backend, Supports } from "@batchnorm/spec";
import type { Worst } from "../accuracy/compare.ts";

/** Any backend, on any runtime: the suite only ever awaits. */
// biome-ignore lint/suspicious/noExplicitAny: the suite passes a runtime's tensors around and never looks into them
export type AnyBackend = Backend<any>;

/** vector: a golden case; contract: a rule without numbers; property: random cases against the oracle. */
export type CheckKind = "vector" | "contract" | "property";

/** One thing that a backend must do. Checks are data: the runner knows nothing of what they check. */
export interface Check {
  /** Unique and stable: deviations name it. */
  readonly id: string;
  readonly kind: CheckKind;
  /** The clause of docs/spec.md. */
  readonly clause: string;
  /** Why this check does not apply to a backend with such a manifest, or null where it does. */
  skip(supports: Supports): string | null;
  run(backend: AnyBackend): Promise<Outcome>;
}

/** What a check found. */
export interface Outcome {
  /** What is wrong, the first of it; empty when the check holds. */
  readonly failures: readonly Failure[];
  /** How much there is wrong in all. */
  readonly failureCount: number;
  /** The largest error of a numeric check. */
  readonly worst: Worst | null;
  /** The same of the framework that the truth is compared with. */
  readonly reference: ({ readonly framework: string } & Worst) | null;
  /** How many times as far from the truth as that framework the backend is; see `timesReference`. */
  readonly timesReference?: number;
  /** Present where the backend gave no answer in time. */
  readonly timedOut?: true;
}

/** One sentence, and the numbers behind it where there are any. */
export interface Failure {
  readonly message: string;
  readonly output?: string;
  readonly step?: number;
  readonly position?: readonly number[];
  readonly expected?: number;
  readonly got?: number;
  readonly bound?: number;
  readonly ulp?: number;
  readonly share?: number;
}

/** How many failures of one check are kept with their numbers. */
export const KEPT_FAILURES = 5;

/** The outcome of a check without numbers. */
export function outcomeOf(messages: readonly string[]): Outcome {
  return {
    failures: messages.slice(0, KEPT_FAILURES).map((message) => ({ message })),
    failureCount: messages.length,
    worst: null,
    reference: null,
  };
}
