import type { Worst } from "../accuracy/compare.ts";
import type { PropertyOptions } from "../properties/property.ts";
import type { BackendResult, CaseResult, Report, Status } from "../report.ts";
import { DEFAULT_PROPERTIES, reportOf } from "../suite.ts";
import type { Vectors } from "../vectors/load.ts";
import {
  MATRIX_SCHEMA,
  type Matrix,
  type MatrixCase,
  type MatrixClause,
  type MatrixExtreme,
  type MatrixResult,
  type MatrixRuntime,
  type MatrixSuite,
} from "./format.ts";
import { mergeMatrices } from "./merge.ts";

/**
 * The report of one run on one runtime, as a matrix of that one runtime: `mergeMatrices` puts those of several together.
 *
 * @param started when the run started: ISO 8601, in UTC.
 */
export function toMatrix(
  { suiteVersion, specVersion, vectors, run, results, problems }: Report,
  runtime: MatrixRuntime,
  started: string,
): Matrix {
  const { filter, selected, timeout, total: checks, seed, runs, duration } = run;
  const cells = results.map((result) => ({
    backend: result.backend,
    runtime: runtime.id,
    status: "ran" as const,
    run: { only: filter.only, checks: filter.checks, quick: filter.quick, selected, timeout },
    result: reduceResult(result),
  }));
  const suite = { specVersion, version: suiteVersion, vectors, checks, seed, runs };
  return mergeMatrices([{ schema: MATRIX_SCHEMA, suite, started, duration, runtimes: [runtime], cells, problems }]);
}

/** What a whole run is about, before anything has been run. */
export function suiteOf(vectors: Vectors, properties: PropertyOptions = DEFAULT_PROPERTIES): MatrixSuite {
  const { specVersion, suiteVersion: version, vectors: identity, run } = reportOf([], [], 0, { vectors, properties });
  return { specVersion, version, vectors: identity, checks: run.total, seed: run.seed, runs: run.runs };
}

/** What the matrix keeps of a backend's results. */
export function reduceResult(result: BackendResult): MatrixResult {
  const { supports, passed, failed, skipped, xfailed, notRun, duration, cases, causes, problems } = result;
  return {
    supports,
    passed,
    failed,
    skipped,
    xfailed,
    notRun,
    duration: Math.round(duration),
    clauses: clausesOf(cases),
    cases: cases.filter(({ status }) => status !== "passed" && status !== "skipped").map(withoutOutputs),
    skips: [
      ...groupBy(
        cases.filter(({ status }) => status === "skipped"),
        ({ reason = "" }) => reason,
      ),
    ].map(([reason, group]) => ({
      reason,
      checks: group.map(({ id }) => id),
    })),
    causes,
    problems,
  };
}

function clausesOf(cases: readonly CaseResult[]): MatrixClause[] {
  const groups = [...groupBy(cases, ({ clause }) => clause)].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  return groups.map(([clause, group]) => {
    const count = (status: Status): number => group.filter((each) => each.status === status).length;
    const reference = largest(group, (each) => each.reference);
    return {
      clause,
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
      xfailed: count("xfailed"),
      notRun: count("not-run"),
      duration: Math.round(group.reduce((sum, each) => sum + each.duration, 0)),
      worst: extremeOf(largest(group, ({ worst }) => worst)),
      reference: reference === null ? null : { ...extremeOf(reference)!, framework: reference.found.framework },
      timesReference: furthest(group),
    };
  });
}

interface Found<Each> {
  readonly id: string;
  readonly found: Each;
}

/** The largest by its share; the first of equal ones. */
function largest<Each extends Worst>(cases: readonly CaseResult[], pick: (each: CaseResult) => Each | null): Found<Each> | null {
  return cases.reduce<Found<Each> | null>((most, each) => {
    const found = pick(each);
    return found === null || (most !== null && found.share <= most.found.share) ? most : { id: each.id, found };
  }, null);
}

function extremeOf(most: Found<Worst> | null): MatrixExtreme | null {
  return most === null ? null : { share: round(most.found.share), ulp: round(most.found.ulp), check: most.id };
}

function furthest(cases: readonly CaseResult[]): MatrixClause["timesReference"] {
  return cases.reduce<MatrixClause["timesReference"]>(
    (most, { id, timesReference: times }) =>
      times === undefined || times <= (most?.times ?? -1) ? most : { times: round(times), check: id },
    null,
  );
}

function withoutOutputs({ outputs, ...rest }: CaseResult): MatrixCase {
  return { ...rest, duration: Math.round(rest.duration) };
}

/** Six digits: more than anybody compares, and a third of the file. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}

function groupBy<Each>(all: readonly Each[], keyOf: (each: Each) => string): Map<string, Each[]> {
  const groups = new Map<string, Each[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group === undefined) groups.set(keyOf(each), [each]);
    else group.push(each);
  }
  return groups;
}
