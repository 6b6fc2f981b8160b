import type { CaseResult, Report } from "../report.ts";
import { describeFilter } from "./verdict.ts";

/** One test case of a JUnit report. */
interface TestCase {
  readonly name: string;
  readonly className: string;
  readonly failures: readonly string[];
  /** Seconds. */
  readonly time: number;
  /** Why it was not held against the backend. */
  readonly skipped: string | null;
}

/**
 * JUnit XML: a suite a backend, a test case a check, its class the clause. A known deviation counts as skipped, and a check that could
 * not be run as failed. Written here and not
 * by a package: junit-xml 1.2.0 writes failures as `<error>`, leaves the XML declaration out and loads Node's streams.
 */
export function junit(report: Report): string {
  const { results, problems, mutants, run } = report;
  const suites = results.map(({ backend, cases, problems }) => ({
    name: backend,
    cases: [...cases.map(testCase), ...problems.map(problemCase)],
  }));
  if (problems.length > 0) suites.push({ name: "run", cases: problems.map(problemCase) });
  if (mutants !== undefined) {
    const cases = mutants.map(({ mutant, clauses, fault, caughtBy }) => ({
      name: mutant,
      className: `clause ${clauses.join(", ")}`,
      failures: caughtBy === null ? [`Not caught: a backend that ${fault}.`] : [],
      skipped: null,
      time: 0,
    }));
    suites.push({ name: "mutants", cases });
  }
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="batchnorm conformance" ${counts(all)} time="${seconds(run.duration)}">`,
    ...suites.flatMap(({ name, cases }) => [
      `  <testsuite name="${escapeXml(name)}" ${counts(cases)} time="${cases.reduce((sum, { time }) => sum + time, 0).toFixed(3)}">`,
      "    <properties>",
      ...Object.entries(propertiesOf(report)).map(([key, value]) => `      <property name="${key}" value="${escapeXml(value)}"/>`),
      "    </properties>",
      ...cases.map((each) => `    ${element(each)}`),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ id, clause, status, reason, failures, duration }: CaseResult): TestCase {
  const base = { name: id, className: `clause ${clause}`, failures: [], skipped: null, time: duration / 1000 };
  if (status === "not-run") return { ...base, failures: [`Not run: ${reason}`] };
  if (status === "failed") {
    return { ...base, failures: failures.map(({ message, stack }) => (stack === undefined ? message : `${message}\n${stack}`)) };
  }
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

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function counts(cases: readonly TestCase[]): string {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const skipped = cases.filter((each) => each.skipped !== null).length;
  return `tests="${cases.length}" failures="${failed}" errors="0" skipped="${skipped}"`;
}

function element({ name, className, failures, skipped, time }: TestCase): string {
  const start = `<testcase name="${escapeXml(name)}" classname="${escapeXml(className)}" time="${time.toFixed(3)}"`;
  if (skipped !== null) return `${start}><skipped message="${escapeXml(skipped)}"/></testcase>`;
  if (failures.length === 0) return `${start}/>`;
  return `${start}><failure message="${escapeXml(failures[0].split("\n")[0])}">${escapeXml(failures.join("\n"))}</failure></testcase>`;
}

// A line break in an attribute would be read as a space.
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

/** As XML 1.0 text or attribute; what it cannot hold at all becomes the replacement character. */
function escapeXml(text: string): string {
  return Array.from(text, (character) => (isXml(character.codePointAt(0)!) ? (ENTITIES[character] ?? character) : "\uFFFD")).join("");
}

/** Source: XML 1.0, production 2, "Char". */
function isXml(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    code >= 0x10000
  );
}
