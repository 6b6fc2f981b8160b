import type { Failure } from "../checks/check.ts";

/** One test case of a JUnit report. */
export interface TestCase {
  readonly name: string;
  readonly className: string;
  readonly failures: readonly string[];
  /** Seconds. */
  readonly time: number;
  /** Why it was not held against the backend. */
  readonly skipped: string | null;
}

/** Test cases that belong together. */
export interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * JUnit XML. Written here and not by a package: junit-xml 1.2.0 writes failures as `<error>`, leaves the XML declaration out and loads
 * Node's streams.
 *
 * @param duration milliseconds.
 */
export function junitXml(name: string, suites: readonly TestSuite[], duration: number): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escapeXml(name)}" ${counts(suites.flatMap(({ cases }) => cases))} time="${seconds(duration)}">`,
    ...suites.flatMap(({ name, cases, properties }) => [
      `  <testsuite name="${escapeXml(name)}" ${counts(cases)} time="${cases.reduce((sum, { time }) => sum + time, 0).toFixed(3)}">`,
      "    <properties>",
      ...Object.entries(properties).map(([key, value]) => `      <property name="${key}" value="${escapeXml(value)}"/>`),
      "    </properties>",
      ...cases.map((each) => `    ${element(each)}`),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}

/** The failures of a check, as texts. */
export function failureTexts(failures: readonly Failure[]): string[] {
  return failures.map(({ message, stack }) => (stack === undefined ? message : `${message}\n${stack}`));
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
