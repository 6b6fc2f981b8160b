import type { CaseResult, Report } from "../report.ts";
import { failureTexts, junitXml, type TestCase, type TestSuite } from "./junit-xml.ts";
import { describeFilter } from "./verdict.ts";

/**
 * JUnit XML: a suite a backend, a test case a check, its class the clause. A known deviation counts as skipped, and a check that could
 * not be run as failed.
 */
export function junit(report: Report): string {
  const { results, problems, mutants, run } = report;
  const properties = propertiesOf(report);
  const suites: TestSuite[] = results.map(({ backend, cases, problems }) => ({
    name: backend,
    properties,
    cases: [...cases.map(testCase), ...problems.map(problemCase)],
  }));
  if (problems.length > 0) suites.push({ name: "run", properties, cases: problems.map(problemCase) });
  if (mutants !== undefined) {
    const cases = mutants.map(({ mutant, clauses, fault, caughtBy }) => ({
      name: mutant,
      className: `clause ${clauses.join(", ")}`,
      failures: caughtBy === null ? [`Not caught: a backend that ${fault}.`] : [],
      skipped: null,
      time: 0,
    }));
    suites.push({ name: "mutants", properties, cases });
  }
  return junitXml("batchnorm conformance", suites, run.duration);
}

function testCase({ id, clause, status, reason, failures, duration }: CaseResult): TestCase {
  const base = { name: id, className: `clause ${clause}`, failures: [], skipped: null, time: duration / 1000 };
  if (status === "not-run") return { ...base, failures: [`Not run: ${reason}`] };
  if (status === "failed") return { ...base, failures: failureTexts(failures) };
  if (status === "passed") return base;
  return { ...base, skipped: status === "xfailed" ? `Known deviation: ${reason}` : `Skipped: ${reason}` };
}

function problemCase(problem: string): TestCase {
  return { name: "run", className: "run", failures: [problem], skipped: null, time: 0 };
}

/** With what the run can be made again. */
function propertiesOf({ run, suiteVersion, vectors }: Report): Record<string, string> {
  return {
    suiteVersion,
    vectors: vectors.sha256,
    seed: String(run.seed),
    runs: String(run.runs),
    timeout: String(run.timeout / 1000),
    checks: `${run.selected} of ${run.total}`,
    filter: describeFilter(run) ?? "none",
  };
}
