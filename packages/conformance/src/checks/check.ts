import type { Backend, Supports } from "@batchnorm/spec";
import type { Worst } from "../accuracy/compare.ts";
import type { Case, Outputs } from "../vectors/case.ts";
import type { OutputName } from "../vectors/format.ts";

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
  /** What is checked, in a sentence, where the clause's title does not say it. */
  readonly must?: string;
  /** The layer and the batches of a check that has one such case. */
  readonly case?: Case;
  /** What the check has in common with others, such as `mask` or `rank 4`: what fails is grouped by it. */
  readonly traits?: readonly string[];
  /** Of a check of many layers: the traits of each. */
  readonly trials?: readonly (readonly string[])[];
  /** Whether `--quick` leaves it out. */
  readonly slow?: boolean;
  /** Why this check does not apply to a backend with such a manifest, or null where it does. */
  skip(supports: Supports): string | null;
  run(backend: AnyBackend): Promise<Outcome>;
}

/** What a check found. */
export interface Outcome {
  /**
   * What is wrong; empty when the check holds. Of many wrong numbers of one output it has the first ones and the worst,
   * so that no output is missing.
   */
  readonly failures: readonly Failure[];
  /** How much there is wrong in all. */
  readonly failureCount: number;
  /** The largest error of a numeric check. */
  readonly worst: Worst | null;
  /** The same of the framework that the truth is compared with. */
  readonly reference: ({ readonly framework: string } & Worst) | null;
  /** Of a check that draws its layers: the traits of the one that failed. */
  readonly traits?: readonly string[];
  /** Of a check of many layers: which of them failed, and which were left out. */
  readonly trials?: { readonly failed: readonly number[]; readonly skipped: readonly number[] };
  /** What the backend gave at every step of the check's case. */
  readonly outputs?: readonly Outputs[];
  /** How many times as far from the truth as that framework the backend is; see `timesReference`. */
  readonly timesReference?: number;
}

/** One sentence, and what is behind it: the numbers, or where it was thrown. */
export interface Failure {
  readonly message: string;
  readonly output?: OutputName;
  readonly step?: number;
  readonly position?: readonly number[];
  readonly expected?: number;
  readonly got?: number;
  readonly bound?: number;
  readonly ulp?: number;
  readonly share?: number;
  /** The frames of what was thrown, a line each. */
  readonly stack?: string;
}

/** How many failures are kept: of every output, and of those that are about no number. */
const KEPT_OF_AN_OUTPUT = 5;
const KEPT_MESSAGES = 20;

/** The outcome of a check without numbers. */
export function outcomeOf(messages: readonly string[]): Outcome {
  return failuresOutcome(messages.map((message) => ({ message })));
}

/** The same of failures that have more to say than a sentence. */
export function failuresOutcome(failures: readonly Failure[]): Outcome {
  return { failures: telling(failures), failureCount: failures.length, worst: null, reference: null };
}

/** Of every output the first failures and the worst one, in their order; so that none is left out, and few are kept. */
export function telling(failures: readonly Failure[]): Failure[] {
  const counts = new Map<string, number>();
  const worst = new Map<string, Failure>();
  for (const failure of failures) {
    const { output, share = 0 } = failure;
    if (output !== undefined && !(share <= (worst.get(output)?.share ?? 0))) worst.set(output, failure);
  }
  return failures.filter((failure) => {
    const kind = failure.output ?? "";
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= (kind === "" ? KEPT_MESSAGES : KEPT_OF_AN_OUTPUT) || worst.get(kind) === failure;
  });
}
