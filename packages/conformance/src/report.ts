import type { Supports } from "@batchnorm/spec";
import type { Worst } from "./accuracy/compare.ts";
import type { CheckKind, Failure } from "./checks/check.ts";
import type { Outputs } from "./vectors/case.ts";

/**
 * passed and failed; skipped: the manifest says that the backend cannot; xfailed: it fails as a listed deviation says; not-run: there
 * was no trying it, which is no better than a failure.
 */
export type Status = "passed" | "failed" | "skipped" | "xfailed" | "not-run";

/** What became of one check on one backend. */
export interface CaseResult {
  readonly id: string;
  readonly kind: CheckKind;
  readonly clause: string;
  readonly status: Status;
  /** Why it was skipped or not run, or why it is a known deviation. */
  readonly reason?: string;
  readonly worst: Worst | null;
  readonly reference: ({ readonly framework: string } & Worst) | null;
  /** The backend's error as a multiple of the reference framework's, or of a unit in the last place where that is more. */
  readonly timesReference?: number;
  /** The first failures and the worst, of `failureCount`: see `Outcome`. */
  readonly failures: readonly Failure[];
  readonly failureCount: number;
  /** Milliseconds that it took. */
  readonly duration: number;
  /** Present where the backend gave no answer: not in time, or since its process or page ended. */
  readonly lost?: "timed out" | "crashed";
  /** Present where the check draws its layers: the traits of the one that failed. */
  readonly traits?: readonly string[];
  /** Present where the check has many layers: which of them failed or were left out, by their place. */
  readonly trials?: { readonly failed: readonly number[]; readonly skipped: readonly number[] };
  /** Present where they were asked for: what the backend gave at every step. */
  readonly outputs?: readonly Outputs[];
}

/** What failures have in common, whatever their clauses: one fault of a backend is often in all layers of one trait. */
export interface Cause {
  /** Empty where nearly everything fails. */
  readonly traits: readonly string[];
  /** How many layers with these traits fail, of how many that were tried. A golden vector is one layer, a check of sizes many. */
  readonly failed: number;
  readonly of: number;
  /** The same of all other layers. */
  readonly others: { readonly failed: number; readonly of: number };
  /** The failed checks that this explains, by id. */
  readonly checks: readonly string[];
}

/** All results of one backend. */
export interface BackendResult {
  readonly backend: string;
  /** Its manifest; null where it has none that is in order. */
  readonly supports: Supports | null;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly xfailed: number;
  readonly notRun: number;
  /** Milliseconds, with the making of the backend. */
  readonly duration: number;
  readonly cases: readonly CaseResult[];
  /** What the failures have in common, the most telling first; empty where nothing is. */
  readonly causes: readonly Cause[];
  /** What is wrong with the run itself: a deviation that names no check, a manifest of another version, a process that ended. */
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

/** How a run was made: with it, it can be made again. */
export interface RunInfo {
  /** What of the suite was run; the whole of it where each of these says nothing. */
  readonly filter: { readonly only: string | null; readonly checks: readonly string[]; readonly quick: boolean };
  /** The backends that were asked for, by name; empty for all. */
  readonly backends: readonly string[];
  /** How many checks were to be run on each backend, of how many in the suite. */
  readonly selected: number;
  readonly total: number;
  readonly seed: number;
  readonly runs: number;
  /** Milliseconds that one check might take. */
  readonly timeout: number;
  /** Milliseconds that the run took. */
  readonly duration: number;
}

/** The report of a run, as the json reporter writes it. */
export interface Report {
  readonly specVersion: 1;
  /** The version of this package. */
  readonly suiteVersion: string;
  readonly vectors: { readonly count: number; readonly sha256: string };
  readonly run: RunInfo;
  readonly results: readonly BackendResult[];
  /** What is wrong with the run and belongs to no backend, such as a deviation of a backend that is not there. */
  readonly problems: readonly string[];
  readonly mutants?: readonly MutantResult[];
}

/** Whether a run is good: all that was to be run was, nothing failed, no problem, every mutant caught. */
export function isGreen({ results, problems, mutants = [] }: Report): boolean {
  return results.every(isSound) && problems.length === 0 && mutants.every(({ caughtBy }) => caughtBy !== null);
}

/** The same of one backend. */
export function isSound({ failed, notRun, problems }: BackendResult): boolean {
  return failed === 0 && notRun === 0 && problems.length === 0;
}
