import type { CaseResult, Report } from "../report.ts";

/** One test case of a JUnit report. */
interface TestCase {
  readonly name: string;
  readonly className: string;
  readonly failures: readonly string[];
  /** Why it was not held against the backend. */
  readonly skipped: string | null;
}

/**
 * JUnit XML: a suite a backend, a test case a check, its class the clause. A known deviation counts as skipped. Written here and not
 * by a package: junit-xml 1.2.0 writes failures as `<error>`, leaves the XML declaration out and loads Node's streams.
 */
export function junit({ results, mutants }: Report): string {
  const suites = results.map(({ backend, cases, problems }) => ({
    name: backend,
    cases: [...cases.map(testCase), ...problems.map((problem) => ({ name: "run", className: "run", failures: [problem], skipped: null }))],
  }));
  if (mutants !== undefined) {
    const cases = mutants.map(({ mutant, clauses, fault, caughtBy }) => ({
      name: mutant,
      className: `clause ${clauses.join(", ")}`,
      failures: caughtBy === null ? [`Not caught: a backend that ${fault}.`] : [],
      skipped: null,
    }));
    suites.push({ name: "mutants", cases });
  }
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="batchnorm conformance" ${counts(all)}>`,
    ...suites.flatMap(({ name, cases }) => [
      `  <testsuite name="${escapeXml(name)}" ${counts(cases)}>`,
      ...cases.map((each) => `    ${element(each)}`),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ id, clause, status, reason, failures }: CaseResult): TestCase {
  const base = { name: id, className: `clause ${clause}`, failures: [], skipped: null };
  if (status === "failed") return { ...base, failures: failures.map(({ message }) => message) };
  if (status === "passed") return base;
  return { ...base, skipped: status === "xfailed" ? `Known deviation: ${reason}` : `Skipped: ${reason}` };
}

function counts(cases: readonly TestCase[]): string {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const skipped = cases.filter((each) => each.skipped !== null).length;
  return `tests="${cases.length}" failures="${failed}" errors="0" skipped="${skipped}"`;
}

function element({ name, className, failures, skipped }: TestCase): string {
  const start = `<testcase name="${escapeXml(name)}" classname="${escapeXml(className)}"`;
  if (skipped !== null) return `${start}><skipped message="${escapeXml(skipped)}"/></testcase>`;
  if (failures.length === 0) return `${start}/>`;
  return `${start}><failure message="${escapeXml(failures[0])}">${escapeXml(failures.join("\n"))}</failure></testcase>`;
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
