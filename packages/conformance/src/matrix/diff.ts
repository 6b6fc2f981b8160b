import type { Status } from "../report.ts";
import type { Matrix, MatrixCell, MatrixSuite, RunCell } from "./format.ts";
import { cellKey } from "./merge.ts";

/** What differs between two results. All lists are empty where nothing does. */
export interface MatrixDiff {
  /** What of the suite is not the same, so that checks may differ with no fault of a backend. */
  readonly suite: readonly Change<string>[];
  /** Runtimes of another version, or that only one of the two has run; null for the one that has not. */
  readonly runtimes: readonly Change<string | null>[];
  /** The cells that differ, in the order of the later result, and after them those that it lacks. */
  readonly cells: readonly CellDiff[];
  /** How many cells are the same in both, but for times. */
  readonly same: number;
}

export interface Change<Value> {
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
}

/** A status, or null where nothing is known of a check: it passed, or was not part of that run. */
export type KnownStatus = Status | null;

export interface CellDiff {
  readonly backend: string;
  readonly runtime: string;
  readonly before: MatrixCell | null;
  readonly after: MatrixCell | null;
  /** Checks that came out worse, by id. */
  readonly worse: readonly Change<KnownStatus>[];
  readonly better: readonly Change<KnownStatus>[];
  /** Sentences on the run itself that only the later result has. */
  readonly problems: readonly string[];
  /** Clauses whose largest error is another one, as shares of the bound, the largest growth first. */
  readonly errors: readonly Change<number>[];
}

/** Compares two results, cell by cell. */
export function diffMatrices(before: Matrix, after: Matrix): MatrixDiff {
  const suite = suiteChanges(before.suite, after.suite);
  const cells = merged(before.cells, after.cells, cellKey).map(([a, b]) => diffCells(a, b, suite.length === 0));
  const differ = cells.filter(isDifferent);
  return { suite, runtimes: runtimeChanges(before, after), cells: differ, same: cells.length - differ.length };
}

/** How bad a status is, beside others. */
const RANK: Readonly<Record<Status, number>> = { passed: 0, skipped: 1, xfailed: 2, "not-run": 3, failed: 4 };

function diffCells(before: MatrixCell | null, after: MatrixCell | null, sameSuite: boolean): CellDiff {
  const { backend, runtime } = (after ?? before)!;
  const none = { backend, runtime, before, after, worse: [], better: [], problems: [], errors: [] };
  if (before?.status !== "ran" || after?.status !== "ran") return none;
  const [a, b] = [before, after].map((cell) => statuses(cell));
  // What one result lists was run, and so it was in the other one if the same was asked for.
  const unlisted = sameSuite && selectionOf(before) === selectionOf(after) ? "passed" : null;
  const changes = [...new Set([...b.keys(), ...a.keys()])].map((name) => ({
    name,
    before: a.get(name) ?? unlisted,
    after: b.get(name) ?? unlisted,
  }));
  const rank = (status: KnownStatus): number => RANK[status ?? "passed"];
  return {
    ...none,
    worse: changes.filter((each) => rank(each.after) > rank(each.before)),
    better: changes.filter((each) => rank(each.after) < rank(each.before)),
    problems: after.result.problems.filter((problem) => !before.result.problems.includes(problem)),
    errors: errorChanges(before, after),
  };
}

function selectionOf({ run: { only, checks, quick } }: RunCell): string {
  return JSON.stringify([only, checks, quick]);
}

/** What is known of single checks: of all that did not pass. */
function statuses({ result: { cases, skips } }: RunCell): Map<string, Status> {
  const skipped = skips.flatMap(({ checks }) => checks.map((id) => [id, "skipped"] as const));
  return new Map<string, Status>([...cases.map(({ id, status }) => [id, status] as const), ...skipped]);
}

function errorChanges(before: RunCell, after: RunCell): Change<number>[] {
  const shares = new Map(before.result.clauses.map(({ clause, worst }) => [clause, worst?.share]));
  const changes = after.result.clauses.flatMap(({ clause, worst }) => {
    const share = shares.get(clause);
    if (share === undefined || worst === null || Object.is(share, worst.share)) return [];
    return [{ name: clause, before: share, after: worst.share }];
  });
  // Of two errors that are not finite, or grew from none, the first one comes first.
  const growth = (each: Change<number>): number => Math.log(each.after) - Math.log(each.before);
  return changes.sort((a, b) => growth(b) - growth(a) || 0);
}

function isDifferent({ before, after, worse, better, problems, errors }: CellDiff): boolean {
  if (before?.status !== after?.status) return true;
  return worse.length + better.length + problems.length + errors.length > 0;
}

function suiteChanges(before: MatrixSuite, after: MatrixSuite): Change<string>[] {
  const describe = ({ specVersion, version, vectors, checks, seed, runs }: MatrixSuite): Record<string, string> => ({
    "version of the contract": String(specVersion),
    "version of the suite": version,
    "golden vectors": `${vectors.count}, ${vectors.sha256.slice(0, 12)}`,
    checks: String(checks),
    seed: String(seed),
    "random cases of a property": String(runs),
  });
  const [a, b] = [describe(before), describe(after)];
  return Object.keys(a).flatMap((name) => (a[name] === b[name] ? [] : [{ name, before: a[name], after: b[name] }]));
}

function runtimeChanges(before: Matrix, after: Matrix): Change<string | null>[] {
  const pairs = merged(before.runtimes, after.runtimes, ({ id }) => id);
  return pairs.flatMap(([a, b]) => {
    const [from, to] = [a, b].map((each) => (each?.status === "ran" ? `${each.version} (${each.platform ?? "platform unknown"})` : null));
    return from === to ? [] : [{ name: (b ?? a)!.name, before: from, after: to }];
  });
}

/** Each of the second list with its partner of the first, and after them those that only the first has. */
function merged<Each>(first: readonly Each[], second: readonly Each[], keyOf: (each: Each) => string): [a: Each | null, b: Each | null][] {
  const left = new Map(first.map((each) => [keyOf(each), each]));
  const found = second.map((each): [Each | null, Each | null] => {
    const partner = left.get(keyOf(each)) ?? null;
    left.delete(keyOf(each));
    return [partner, each];
  });
  return [...found, ...[...left.values()].map((each): [Each, null] => [each, null])];
}
