import { CLAUSES } from "../clauses.generated.ts";
import { failureTexts, junitXml, type TestCase, type TestSuite } from "../reporters/junit-xml.ts";
import type { Matrix, MatrixCase, MatrixCell, RunCell } from "./format.ts";

export interface MatrixJunitOptions {
  /** Whether a cell that was not run is a failure, and not skipped. Default false. */
  readonly requireAll?: boolean;
}

/**
 * JUnit XML: a suite a cell; in it a test case for each clause, and one for each check that did not pass, since the matrix has no others
 * one by one.
 */
export function matrixJunit(matrix: Matrix, { requireAll = false }: MatrixJunitOptions = {}): string {
  const { cells, problems, duration } = matrix;
  const suites = cells.map((cell): TestSuite => {
    const runtime = matrix.runtimes.find(({ id }) => id === cell.runtime);
    const properties = { ...propertiesOf(matrix), runtime: `${runtime?.name} ${runtime?.version ?? ""}`.trim(), ...runOf(cell, matrix) };
    return { name: `${cell.backend} on ${cell.runtime}`, properties, cases: casesOf(cell, requireAll) };
  });
  if (problems.length > 0) suites.push({ name: "run", properties: propertiesOf(matrix), cases: problems.map(problemCase) });
  return junitXml("batchnorm matrix", suites, duration);
}

function casesOf(cell: MatrixCell, requireAll: boolean): TestCase[] {
  if (cell.status === "not-run") {
    const base = { name: "run", className: "run", time: 0 };
    return [
      requireAll ? { ...base, failures: [`Not run: ${cell.reason}`], skipped: null } : { ...base, failures: [], skipped: cell.reason },
    ];
  }
  const { clauses, cases, problems } = cell.result;
  return [
    ...clauses.map(({ clause, passed, failed, notRun, xfailed, skipped, duration }): TestCase => {
      const nothing = passed + failed + notRun + xfailed === 0;
      return {
        name: `${clause} ${CLAUSES[clause] ?? ""}`.trim(),
        className: `clause ${clause}`,
        failures: failed + notRun > 0 ? [`${failed} checks failed and ${notRun} were not run, see the test cases of this clause.`] : [],
        skipped: nothing ? `All ${skipped} checks are skipped: they do not apply to the backend's manifest.` : null,
        time: duration / 1000,
      };
    }),
    ...cases.map(checkCase),
    ...problems.map(problemCase),
  ];
}

function checkCase({ id, clause, status, reason, failures }: MatrixCase): TestCase {
  // The time of a check is in that of its clause.
  const base = { name: id, className: `clause ${clause}`, time: 0, failures: [], skipped: null };
  if (status === "xfailed") return { ...base, skipped: `Known deviation: ${reason}` };
  return { ...base, failures: status === "not-run" ? [`Not run: ${reason}`] : failureTexts(failures) };
}

function problemCase(problem: string): TestCase {
  return { name: "run", className: "run", failures: [problem], skipped: null, time: 0 };
}

function propertiesOf({ suite }: Matrix): Record<string, string> {
  return { suiteVersion: suite.version, vectors: suite.vectors.sha256, seed: String(suite.seed), runs: String(suite.runs) };
}

function runOf(cell: MatrixCell, { suite }: Matrix): Record<string, string> {
  if (cell.status === "not-run") return {};
  const { run }: RunCell = cell;
  return { checks: `${run.selected} of ${suite.checks}`, timeout: String(run.timeout / 1000) };
}
