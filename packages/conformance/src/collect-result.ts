import { findCauses } from "./causes.ts";
import type { Check } from "./checks/check.ts";
import type { BackendResult, Status } from "./report.ts";

/**
 * All results of one backend, counted and compared.
 *
 * @param checks those that were to be run.
 */
export function collectResult(
  { backend, supports, cases, problems, duration }: Pick<BackendResult, "backend" | "supports" | "cases" | "problems" | "duration">,
  checks: readonly Check[],
): BackendResult {
  const count = (status: Status): number => cases.filter((each) => each.status === status).length;
  return {
    backend,
    supports,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    xfailed: count("xfailed"),
    notRun: count("not-run"),
    duration,
    causes: findCauses(cases, checks),
    cases,
    problems,
  };
}
