import type { Worst } from "../accuracy/compare.ts";
import { CLAUSES } from "../clauses.generated.ts";
import type { BackendResult, CaseResult, Cause } from "../report.ts";

/** All checks of one clause on one backend. */
export interface ClauseSummary {
  readonly clause: string;
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly xfailed: number;
  readonly notRun: number;
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
      notRun: count(group, "not-run"),
      worst: largest(group.map(({ worst }) => worst)),
      reference: largest(group.map(({ reference }) => reference)),
      timesReference: largestTimes(group),
    }));
}

/** The failed checks of one clause, of how many that were tried. */
export interface FailedClause {
  readonly clause: string;
  readonly of: number;
  readonly failed: readonly CaseResult[];
}

/**
 * The failed checks by clause, the clause at fault first as far as that can be told: the one most of whose checks fail, where few
 * checks say little, and a rule of the contract says more exactly what is wrong than a number does. Of 119 wrong backends of this
 * repository, the first clause is one that describes the fault for 70, and one of the first three is for 94 (November 2026). In the
 * order of the spec it was 48 and 66 of 115.
 *
 * @param except checks that are left out, since they have been explained.
 */
export function failedClauses({ cases }: BackendResult, except: ReadonlySet<string> = new Set()): FailedClause[] {
  const clauses = [...new Set(cases.map(({ clause }) => clause))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return clauses
    .map((clause) => {
      const tried = cases.filter((each) => each.clause === clause && (each.status === "passed" || each.status === "failed"));
      const failed = tried.filter(({ id, status }) => status === "failed" && !except.has(id));
      return { clause, of: tried.length, failed, weight: faultWeight(failed, tried.length) };
    })
    .filter(({ failed }) => failed.length > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ clause, of, failed }) => ({ clause, of, failed }));
}

/** How much speaks for a clause as the one at fault; `of` is how many of its checks were tried. */
export function faultWeight(failed: readonly Pick<CaseResult, "kind">[], of: number): number {
  const rules = failed.filter(({ kind }) => kind === "contract").length;
  return failed.length / (of + 1) + (2 * rules) / (rules + 2);
}

/** A failed check that shows a cause: the first one of the clause with most of them. */
export function exampleOf({ checks }: Cause, cases: readonly CaseResult[]): CaseResult {
  const explained = new Set(checks);
  const failed = cases.filter(({ id }) => explained.has(id));
  const [[clause]] = countBy(failed, (each) => each.clause);
  return failed.find((each) => each.clause === clause)!;
}

/** What a cause says, in a sentence. */
export function describeCause({ traits, failed, of, others }: Cause): string {
  const share = (some: number, all: number): string => (some === 0 ? `none of ${all}` : some === all ? `all ${all}` : `${some} of ${all}`);
  if (traits.length === 0) return `Nearly everything fails: ${share(failed, of)} layers.`;
  return `${traits.join(", with ")}: ${share(failed, of)} layers of this kind fail, and ${share(others.failed, others.of)} others.`;
}

/** How many there are of each kind, most first. */
export function countBy<Each>(all: readonly Each[], kindOf: (each: Each) => string): [kind: string, count: number][] {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(kindOf(each), (counts.get(kindOf(each)) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** Milliseconds, as people say it. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
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
export function formatShare(worst: Pick<Worst, "share"> | null): string {
  if (worst === null) return "";
  return Number.isFinite(worst.share) ? worst.share.toFixed(worst.share < 10 ? 3 : 0) : "not finite";
}

function count(cases: readonly CaseResult[], status: CaseResult["status"]): number {
  return cases.filter((each) => each.status === status).length;
}

function largest(all: readonly (Worst | null)[]): Worst | null {
  return all.reduce((a, b) => (a === null || (b !== null && b.share > a.share) ? b : a), null);
}
