import type { SPEC_VERSION, Supports } from "@batchnorm/spec";
import type { CaseResult, Cause } from "../report.ts";

// The result file of all backends on all runtimes, reports/matrix.json, in types; docs/matrix-file.md has it in words. Everything in it
// but times, `started` and each `duration`, is the same in each run of the same packages on the same runtimes. A number that is not
// finite is the text "NaN", "Infinity" or "-Infinity" in the file; `readMatrix` and `writeMatrix` go from one to the other.

/** The version of this format. It grows with every change that an older reader would misread. */
export const MATRIX_SCHEMA = 1;

export interface Matrix {
  readonly schema: typeof MATRIX_SCHEMA;
  readonly suite: MatrixSuite;
  /** When the run started: ISO 8601, in UTC. */
  readonly started: string;
  /** Milliseconds that the run took; of merged runs, the sum. */
  readonly duration: number;
  /** In the order in which they are shown: Node by version, Deno, Bun, the browsers. */
  readonly runtimes: readonly MatrixRuntime[];
  /** In the order of the runtimes, and by the backend's name. A backend that a runtime is not meant for has no cell there. */
  readonly cells: readonly MatrixCell[];
  /** What is wrong with the run and belongs to no cell. */
  readonly problems: readonly string[];
}

/** What was run: two results can be compared, or merged, only where this is the same. */
export interface MatrixSuite {
  /** The version of the contract. */
  readonly specVersion: typeof SPEC_VERSION;
  /** The version of @batchnorm/conformance. */
  readonly version: string;
  readonly vectors: { readonly count: number; readonly sha256: string };
  /** How many checks the whole suite has. */
  readonly checks: number;
  /** Of the random cases. */
  readonly seed: number;
  /** How many random cases a property draws. */
  readonly runs: number;
}

export interface MatrixRuntime {
  /** Short and stable: `node-20`, `deno`, `bun`, `chromium`, `firefox`. */
  readonly id: string;
  /** As people say it: `Node 20`. */
  readonly name: string;
  /** The exact version; null where there is none on that machine. */
  readonly version: string | null;
  /** What else decides the numbers, such as `linux x64, graphics in software`; null where nothing is known. */
  readonly platform: string | null;
  readonly status: "ran" | "not-run";
  /** Present where it was not run: why. */
  readonly reason?: string;
  /** How to get it, in one line. */
  readonly howToGet: string;
}

/** One backend on one runtime. */
export type MatrixCell = RunCell | MissingCell;

export interface RunCell {
  readonly backend: string;
  /** The id of the runtime. */
  readonly runtime: string;
  readonly status: "ran";
  readonly run: MatrixRun;
  readonly result: MatrixResult;
}

export interface MissingCell {
  readonly backend: string;
  /** The id of the runtime. */
  readonly runtime: string;
  readonly status: "not-run";
  readonly reason: string;
}

/** What of the suite was run in a cell. */
export interface MatrixRun {
  /** A clause or a section; null for all. */
  readonly only: string | null;
  /** These checks; empty for all. */
  readonly checks: readonly string[];
  /** Whether slow checks were left out. */
  readonly quick: boolean;
  /** How many checks that made, of `suite.checks`. */
  readonly selected: number;
  /** Milliseconds that one check might take. */
  readonly timeout: number;
}

/** All results of one backend on one runtime: passed checks as counts and extremes of each clause, all others one by one. */
export interface MatrixResult {
  /** The backend's manifest; null where it has none that is in order. */
  readonly supports: Supports | null;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly xfailed: number;
  readonly notRun: number;
  /** Milliseconds, with the making of the backend. */
  readonly duration: number;
  /** In the order of docs/spec.md. */
  readonly clauses: readonly MatrixClause[];
  /** In full, every check that failed, could not be run, or fails as a listed deviation says. */
  readonly cases: readonly MatrixCase[];
  /** The checks that do not apply to the manifest, by the reason. */
  readonly skips: readonly { readonly reason: string; readonly checks: readonly string[] }[];
  /** What the failures have in common, the most telling first. */
  readonly causes: readonly Cause[];
  /** What is wrong with the run itself. */
  readonly problems: readonly string[];
}

/** All checks of one clause. Shares and multiples are rounded to six digits. */
export interface MatrixClause {
  /** Its number in docs/spec.md; `CLAUSES` has the titles. */
  readonly clause: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly xfailed: number;
  readonly notRun: number;
  /** Milliseconds. */
  readonly duration: number;
  /** The largest error; null where no check of the clause has numbers. */
  readonly worst: MatrixExtreme | null;
  /** The same of Keras, or of whichever framework made the vector, by the same bounds. */
  readonly reference: (MatrixExtreme & { readonly framework: string }) | null;
  /** The largest error as a multiple of the framework's own, or of a unit in the last place where that is more. */
  readonly timesReference: { readonly times: number; readonly check: string } | null;
}

export interface MatrixExtreme {
  /** |error| / bound: up to 1 is within. */
  readonly share: number;
  /** |error| in units of the last place. */
  readonly ulp: number;
  /** The check in which it is. */
  readonly check: string;
}

/** A check that did not simply pass. What the backend gave is left out but for the elements that are wrong. */
export type MatrixCase = Omit<CaseResult, "outputs">;
