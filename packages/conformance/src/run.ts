import { describeValue, SPEC_VERSION } from "@batchnorm/spec";
import { type AnyBackend, type Check, type Outcome, outcomeOf } from "./checks/check.ts";
import type { BackendResult, CaseResult, Status } from "./report.ts";

/** A check that a backend is known to fail, by its exact id, and why. */
export interface Deviation {
  /** The backend's name; without it, every backend of the run. */
  readonly backend?: string;
  readonly id: string;
  readonly reason: string;
}

/** How long a check may take, in milliseconds, before it has failed: a runtime that never answers must not hold up the report. */
export const DEFAULT_TIMEOUT = 120_000;

/** After so many checks without an answer the rest are not tried: each would take its whole time. */
const PATIENCE = 3;

export interface RunOptions {
  /** Milliseconds that one check may take. Default: `DEFAULT_TIMEOUT`. */
  readonly timeout?: number;
  readonly deviations?: readonly Deviation[];
  /** A clause such as `6.1`, or a whole section such as `6`. */
  readonly only?: string | null;
  /** Called after every check. */
  readonly onProgress?: (done: number, total: number, result: CaseResult) => void;
}

/**
 * Holds one backend against checks, one after another. It never throws for what a backend does: that is a failed check.
 * A listed deviation that passes fails the run, and so does one that names no check.
 */
export async function runChecks(backend: AnyBackend, checks: readonly Check[], options: RunOptions = {}): Promise<BackendResult> {
  const { only = null, timeout = DEFAULT_TIMEOUT, onProgress } = options;
  const deviations = deviationsOf(backend, options.deviations ?? []);
  const selected = checks.filter(({ clause }) => only === null || clauseMatches(clause, only));
  const cases: CaseResult[] = [];
  let unanswered = 0;
  for (const check of selected) {
    const deviation = deviations.find(({ id }) => id === check.id);
    const due =
      unanswered < PATIENCE ? check : { ...check, run: async () => outcomeOf([`not tried: ${PATIENCE} checks before it had no answer.`]) };
    const result = await runCheck(backend, due, deviation, timeout);
    if (result.timedOut) unanswered++;
    cases.push(result);
    onProgress?.(cases.length, selected.length, result);
  }
  return collectResult(backend.name, cases, findProblems(backend, checks, deviations));
}

/** All results of one backend, counted. */
export function collectResult(backend: string, cases: readonly CaseResult[], problems: readonly string[]): BackendResult {
  const count = (status: Status): number => cases.filter((each) => each.status === status).length;
  return {
    backend,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    xfailed: count("xfailed"),
    cases,
    problems,
  };
}

/** The deviations that are listed for this backend. */
export function deviationsOf(backend: AnyBackend, deviations: readonly Deviation[]): Deviation[] {
  return deviations.filter((each) => each.backend === undefined || each.backend === backend.name);
}

/** Whether a clause is, or lies in, what was asked for: `6` has `6.1`, `6.1` is itself alone. */
export function clauseMatches(clause: string, only: string): boolean {
  return clause === only || clause.startsWith(`${only}.`);
}

/** Runs one check and judges its outcome. */
export async function runCheck(
  backend: AnyBackend,
  check: Check,
  deviation?: Deviation,
  timeout: number = DEFAULT_TIMEOUT,
): Promise<CaseResult> {
  const { id, kind, clause } = check;
  const skipped = check.skip(backend.supports);
  if (skipped !== null) {
    return { id, kind, clause, status: "skipped", reason: skipped, worst: null, reference: null, failures: [], failureCount: 0 };
  }
  const outcome = await guard(check, backend, timeout);
  if (deviation === undefined) return { id, kind, clause, status: outcome.failureCount === 0 ? "passed" : "failed", ...outcome };
  if (outcome.failureCount > 0) return { id, kind, clause, status: "xfailed", reason: deviation.reason, ...outcome };
  const message = `is listed as a deviation (${deviation.reason}) but passes: take it off the list.`;
  return { id, kind, clause, status: "failed", ...outcome, failures: [{ message }], failureCount: 1 };
}

async function guard(check: Check, backend: AnyBackend, timeout: number): Promise<Outcome> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Outcome>((resolve) => {
    const message = `clause ${check.clause}: the backend did not answer within ${timeout / 1000} s.`;
    timer = setTimeout(() => resolve({ ...outcomeOf([message]), timedOut: true }), timeout);
  });
  try {
    return await Promise.race([check.run(backend), late]);
  } catch (error) {
    const thrown = error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
    return outcomeOf([`clause ${check.clause}: the backend threw ${thrown}`]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong with a run before it starts: another version of the contract, or a deviation of this backend that says nothing. */
export function findProblems(backend: AnyBackend, checks: readonly Check[], all: readonly Deviation[]): string[] {
  const deviations = deviationsOf(backend, all);
  const problems: string[] = [];
  if (backend.specVersion !== SPEC_VERSION) {
    problems.push(`The backend is written for version ${backend.specVersion} of the contract, this suite checks version ${SPEC_VERSION}.`);
  }
  for (const { id } of deviations) {
    const check = checks.find((each) => each.id === id);
    const skipped = check?.skip(backend.supports) ?? null;
    if (check === undefined) problems.push(`The deviation ${id} names no check: correct it or take it off the list.`);
    if (skipped !== null) problems.push(`The deviation ${id} names a check that is skipped (${skipped}): take it off the list.`);
  }
  return problems;
}
