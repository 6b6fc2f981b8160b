import type { Worst } from "../accuracy/compare.ts";
import { CLAUSES } from "../clauses.generated.ts";
import type { BackendResult, CaseResult } from "../report.ts";

/** All checks of one clause on one backend. */
export interface ClauseSummary {
  readonly clause: string;
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly xfailed: number;
  readonly worst: Worst | null;
  readonly reference: Worst | null;
  /** The largest `timesReference`; null where no framework ran. */
  readonly timesReference: number | null;
}

/** A backend's results by clause, in the order of the spec. */
export function summarize({ cases }: BackendResult): ClauseSummary[] {
  const groups = new Map<string, CaseResult[]>();
  for (const each of cases) groups.set(each.clause, [...(groups.get(each.clause) ?? []), each]);
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([clause, group]) => ({
      clause,
      title: CLAUSES[clause] ?? "",
      passed: count(group, "passed"),
      failed: count(group, "failed"),
      skipped: count(group, "skipped"),
      xfailed: count(group, "xfailed"),
      worst: largest(group.map(({ worst }) => worst)),
      reference: largest(group.map(({ reference }) => reference)),
      timesReference: largestTimes(group),
    }));
}

function largestTimes(cases: readonly CaseResult[]): number | null {
  return cases.reduce<number | null>((most, { timesReference: times }) => (times === undefined ? most : Math.max(most ?? 0, times)), null);
}

/** The case in which a backend is the furthest from the truth beside the reference framework. */
export function furthestFromReference({ cases }: BackendResult): { readonly id: string; readonly times: number } | null {
  return cases.reduce<{ id: string; times: number } | null>(
    (found, { id, timesReference: times }) => (times !== undefined && times > (found?.times ?? 0) ? { id, times } : found),
    null,
  );
}

/** A multiple, as people read it: `1.5x`. */
export function formatTimes(times: number | null): string {
  return times === null ? "" : `${times.toFixed(times < 10 ? 1 : 0)}x`;
}

/** The worst error of a backend and of the references, over everything that has numbers. */
export function extremes({ cases }: BackendResult): { worst: (Worst & { id: string }) | null; reference: (Worst & { id: string }) | null } {
  const withId = (pick: (each: CaseResult) => Worst | null) =>
    cases.reduce<(Worst & { id: string }) | null>((found, each) => {
      const candidate = pick(each);
      return candidate !== null && (found === null || candidate.share > found.share) ? { ...candidate, id: each.id } : found;
    }, null);
  return { worst: withId(({ worst }) => worst), reference: withId(({ reference }) => reference) };
}

/** A share of the bound, as people read it: `0.031 of the bound`. */
export function formatShare(worst: Worst | null): string {
  if (worst === null) return "";
  return Number.isFinite(worst.share) ? worst.share.toFixed(worst.share < 10 ? 3 : 0) : "not finite";
}

function count(cases: readonly CaseResult[], status: CaseResult["status"]): number {
  return cases.filter((each) => each.status === status).length;
}

function largest(all: readonly (Worst | null)[]): Worst | null {
  return all.reduce((a, b) => (a === null || (b !== null && b.share > a.share) ? b : a), null);
}
