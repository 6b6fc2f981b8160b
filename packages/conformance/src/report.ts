import type { Worst } from "./accuracy/compare.ts";
import type { CheckKind, Failure } from "./checks/check.ts";

/** passed and failed; skipped: the manifest says that the backend cannot; xfailed: a listed deviation that fails as listed. */
export type Status = "passed" | "failed" | "skipped" | "xfailed";

/** What became of one check on one backend. */
export interface CaseResult {
  readonly id: string;
  readonly kind: CheckKind;
  readonly clause: string;
  readonly status: Status;
  /** Why it was skipped, or why it is a known deviation. */
  readonly reason?: string;
  readonly worst: Worst | null;
  readonly reference: ({ readonly framework: string } & Worst) | null;
  /** The backend's error as a multiple of the reference framework's, or of a unit in the last place where that is more. */
  readonly timesReference?: number;
  /** The first failures, of `failureCount`. */
  readonly failures: readonly Failure[];
  readonly failureCount: number;
  /** Present where the backend gave no answer in time. */
  readonly timedOut?: true;
}

/** All results of one backend. */
export interface BackendResult {
  readonly backend: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly xfailed: number;
  readonly cases: readonly CaseResult[];
  /** What is wrong with the run itself: a deviation that names no check, a manifest of another version. */
  readonly problems: readonly string[];
}

/** What became of one mutant: which check of which clause caught it. */
export interface MutantResult {
  readonly mutant: string;
  readonly fault: string;
  /** The clauses that describe the fault. */
  readonly clauses: readonly string[];
  /** The first check of those clauses that failed; null where the mutant lives. */
  readonly caughtBy: { readonly clause: string; readonly id: string; readonly message: string } | null;
}

/** The report of a run, as the json reporter writes it. */
export interface Report {
  readonly specVersion: 1;
  readonly vectors: { readonly count: number; readonly sha256: string };
  readonly results: readonly BackendResult[];
  readonly mutants?: readonly MutantResult[];
}

/** Whether a run is good: nothing failed, no problem, every mutant caught. */
export function isGreen({ results, mutants = [] }: Report): boolean {
  return (
    results.every(({ failed, problems }) => failed === 0 && problems.length === 0) && mutants.every(({ caughtBy }) => caughtBy !== null)
  );
}
