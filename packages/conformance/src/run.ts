import type { Supports } from "@batchnorm/spec";
import { type AnyBackend, type Check, type Failure, failuresOutcome, type Outcome, outcomeOf } from "./checks/check.ts";
import { manifestFaults, versionProblems } from "./checks/manifest.ts";
import { thrownFailure } from "./checks/thrown.ts";
import { collectResult } from "./collect-result.ts";
import { type Deviation, deviationProblems, deviationsOf, judge } from "./deviations.ts";
import type { BackendResult, CaseResult } from "./report.ts";
import { type Selection, select } from "./selection.ts";
import { DEFAULT_TIMEOUT, Waiting } from "./waiting.ts";

export interface RunOptions extends Selection {
  /** Milliseconds that one check may take. Default: `DEFAULT_TIMEOUT`. */
  readonly timeout?: number;
  readonly deviations?: readonly Deviation[];
  /** Called after every check. */
  readonly onProgress?: (done: number, total: number, result: CaseResult) => void;
}

/**
 * Holds one backend against checks, one after another, in this very process or page: what ends it ends the run, and what blocks it
 * blocks the run. `runConfig` gives every backend a place of its own. It never throws for what a backend does: that is a failed
 * check.
 */
export async function runChecks(backend: AnyBackend, checks: readonly Check[], options: RunOptions = {}): Promise<BackendResult> {
  const { timeout = DEFAULT_TIMEOUT, onProgress } = options;
  const started = performance.now();
  const deviations = deviationsOf(backend.name, options.deviations ?? []);
  const selected = select(checks, options);
  const waiting = new Waiting(timeout);
  const inOrder = manifestFaults(backend).length === 0;
  const cases: CaseResult[] = [];
  for (const check of selected) {
    const obstacle = inOrder || check.id === MANIFEST_CHECK ? waiting.givenUp(check) : BAD_MANIFEST;
    const result = obstacle === null ? await runCheck(backend, check, { timeout: waiting.limit }) : notRun(check, obstacle);
    if (result.lost !== undefined) waiting.timedOut(check);
    else if (obstacle === null) waiting.answered(check, result.duration);
    cases.push(judge(result, deviations));
    onProgress?.(cases.length, selected.length, cases[cases.length - 1]);
  }
  const problems = findProblems(backend, checks, deviations);
  const duration = performance.now() - started;
  return collectResult({ backend: nameOf(backend), supports: inOrder ? backend.supports : null, cases, problems, duration }, selected);
}

/** The check that says what is wrong with a manifest; with such a one no other is run. */
export const MANIFEST_CHECK = "contract/manifest";
export const BAD_MANIFEST = "the manifest is not in order";

export interface CheckOptions {
  /** Milliseconds, or infinity where somebody else watches over the time. Default: `DEFAULT_TIMEOUT`. */
  readonly timeout?: number;
  /** Whether the result has what the backend gave. */
  readonly outputs?: boolean;
}

/** Runs one check. What is listed as a deviation is not judged here. */
export async function runCheck(
  backend: AnyBackend,
  check: Check,
  { timeout = DEFAULT_TIMEOUT, outputs = false }: CheckOptions = {},
): Promise<CaseResult> {
  const started = performance.now();
  const done = (rest: Outcome & Pick<CaseResult, "status" | "lost" | "reason">): CaseResult => {
    const { outputs: given, ...others } = rest;
    return { ...identity(check), ...others, duration: performance.now() - started, ...(outputs && given && { outputs: given }) };
  };
  try {
    const skipped = check.skip(backend.supports);
    if (skipped !== null) return done({ ...failuresOutcome([]), status: "skipped", reason: skipped });
    const outcome = await within(timeout, check.run(backend));
    if (outcome === null)
      return done({ ...outcomeOf([`clause ${check.clause}: ${lateness(timeout)}.`]), status: "failed", lost: "timed out" });
    return done({ ...outcome, status: outcome.failureCount === 0 ? "passed" : "failed" });
  } catch (error) {
    return done({ ...failuresOutcome([thrownFailure(check, error)]), status: "failed" });
  }
}

/** The result of a check that was not tried. */
export function notRun(check: Check, reason: string): CaseResult {
  return { ...identity(check), ...failuresOutcome([]), status: "not-run", reason, duration: 0 };
}

/** The result of a check in which the backend was lost. */
export function lostCheck(check: Check, lost: NonNullable<CaseResult["lost"]>, failure: Failure, duration: number): CaseResult {
  return { ...identity(check), ...failuresOutcome([failure]), status: "failed", lost, duration };
}

/** What is said where there was no answer within so many milliseconds. */
export function lateness(timeout: number): string {
  return `the backend did not answer within ${Number((timeout / 1000).toPrecision(3))} s`;
}

/** What is wrong with a run before it starts: another version of the contract, or a deviation of this backend that says nothing. */
export function findProblems(backend: AnyBackend, checks: readonly Check[], deviations: readonly Deviation[]): string[] {
  const inOrder = manifestFaults(backend).length === 0;
  const skipped = inOrder ? skippedBy(checks, backend.supports) : new Map<string, string>();
  return [...backendProblems(backend), ...deviationProblems(deviationsOf(backend.name, deviations), checks, skipped)];
}

/** What is wrong with what a backend says of itself. */
export function backendProblems(backend: AnyBackend): string[] {
  const faults = manifestFaults(backend);
  return [...versionProblems(backend), ...(faults.length === 0 ? [] : [`The manifest is not in order: ${faults.join(" ")}`])];
}

/** The checks that do not apply to a backend with such a manifest, each with the reason. */
export function skippedBy(checks: readonly Check[], supports: Supports): Map<string, string> {
  const reasons = checks.map((check) => [check.id, check.skip(supports)] as const);
  return new Map(reasons.filter((each): each is [string, string] => each[1] !== null));
}

/** A backend's name, or what stands in for one that has none. */
export function nameOf({ name }: Pick<AnyBackend, "name">): string {
  return typeof name === "string" && name !== "" ? name : "a backend without a name";
}

function identity({ id, kind, clause }: Check): Pick<CaseResult, "id" | "kind" | "clause"> {
  return { id, kind, clause };
}

/** What a promise gives, or null where it takes longer. */
async function within<Value>(timeout: number, promise: Promise<Value>): Promise<Value | null> {
  if (timeout === Number.POSITIVE_INFINITY) return promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, timeout, null);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
