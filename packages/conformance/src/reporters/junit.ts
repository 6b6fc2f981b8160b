import { getJunitXml, type TestCase } from "junit-xml";
import type { CaseResult, Report } from "../report.ts";

/** JUnit XML: a suite a backend, a test case a check, its class the clause. A known deviation counts as skipped. */
export function junit(report: Report): string {
  const suites = report.results.map(({ backend, cases, problems }) => ({
    name: backend,
    testCases: [...cases.map(testCase), ...problems.map((message) => ({ name: "run", classname: "run", failures: [{ message }] }))],
  }));
  const mutants = (report.mutants ?? []).map(({ mutant, clauses, fault, caughtBy }) => ({
    name: mutant,
    classname: `clause ${clauses.join(", ")}`,
    ...(caughtBy === null && { failures: [{ message: `Not caught: a backend that ${fault}.` }] }),
  }));
  const all = report.mutants === undefined ? suites : [...suites, { name: "mutants", testCases: mutants }];
  return `${getJunitXml({ name: "batchnorm conformance", suites: all })}\n`;
}

function testCase({ id, clause, status, reason, failures }: CaseResult): TestCase {
  const base = { name: id, classname: `clause ${clause}` };
  if (status === "failed") return { ...base, failures: failures.map(({ message }) => ({ message })) };
  if (status === "passed") return base;
  return { ...base, skipped: true, systemOut: [status === "xfailed" ? `Known deviation: ${reason}` : `Skipped: ${reason}`] };
}
