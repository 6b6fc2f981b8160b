import { stripVTControlCharacters } from "node:util";
import { DOMParser } from "@xmldom/xmldom";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { json } from "../src/reporters/json.ts";
import { junit } from "../src/reporters/junit.ts";
import { markdown } from "../src/reporters/markdown.ts";
import { pretty } from "../src/reporters/pretty.ts";
import { GREEN, REPORT } from "./report.ts";

describe("json", () => {
  it("has the shape that the README documents", () => {
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(REPORT_SCHEMA);
    for (const report of [REPORT, GREEN]) expect(validate(JSON.parse(json(report))) ? [] : validate.errors).toEqual([]);
  });

  it("says everything that the report says, NaN and the infinities by name", () => {
    const named = (_: string, value: unknown): unknown =>
      ["NaN", "Infinity", "-Infinity"].includes(value as string) ? Number(value) : value;
    expect(JSON.parse(json(REPORT), named)).toEqual(REPORT);
    expect(JSON.parse(json(REPORT)).results[0].cases[1].failures[1]).toMatchObject({
      expected: "-Infinity",
      got: "NaN",
      share: "Infinity",
    });
  });
});

describe("junit", () => {
  const parse = (text: string) =>
    new DOMParser({ onError: (level, message) => void (level === "warning" || expect.fail(message)) }).parseFromString(text, "text/xml");
  const attributes = (element: { attributes: { length: number; item(index: number): { name: string; value: string } | null } }) =>
    Object.fromEntries(
      Array.from({ length: element.attributes.length }, (_, k) => element.attributes.item(k)!).map(({ name, value }) => [name, value]),
    );

  it("is well-formed XML whose counts are right", () => {
    const document = parse(junit(REPORT));
    const suites = [...document.getElementsByTagName("testsuite")];
    expect(attributes(document.documentElement!)).toEqual({
      name: "batchnorm conformance",
      tests: "8",
      failures: "3",
      errors: "0",
      skipped: "2",
    });
    expect(suites.map(attributes)).toEqual([
      { name: "wrong/one", tests: "5", failures: "2", errors: "0", skipped: "2" },
      { name: "right/two", tests: "1", failures: "0", errors: "0", skipped: "0" },
      { name: "mutants", tests: "2", failures: "1", errors: "0", skipped: "0" },
    ]);
    for (const suite of suites) {
      const { tests, failures, skipped } = attributes(suite);
      const count = (tag: string): string => String(suite.getElementsByTagName(tag).length);
      expect([count("testcase"), count("failure"), count("skipped")]).toEqual([tests, failures, skipped]);
    }
  });

  it("tells what failed, what was skipped and why, whatever characters that takes", () => {
    const cases = [...parse(junit(REPORT)).getElementsByTagName("testcase")];
    const [, wrong, skips, deviates, problem] = cases;
    expect(attributes(wrong)).toEqual({ name: "training/wrong", classname: "clause 6.1" });
    const failure = wrong.getElementsByTagName("failure")[0];
    expect(failure.getAttribute("message")).toBe(REPORT.results[0].cases[1].failures[0].message);
    expect(junit(REPORT)).not.toMatch(/message="[^"]*\n/);
    // XML cannot hold the bell.
    expect(failure.textContent).toBe(
      REPORT.results[0].cases[1].failures.map(({ message }) => message.replace("\u0007", "\uFFFD")).join("\n"),
    );
    expect(skips.getElementsByTagName("skipped")[0].getAttribute("message")).toBe("Skipped: masks are not supported");
    expect(deviates.getElementsByTagName("skipped")[0].getAttribute("message")).toBe("Known deviation: runtime 1.2 copies | a bug");
    expect(problem.getElementsByTagName("failure")[0].getAttribute("message")).toContain("names no check");
    expect(cases.at(-1)?.getElementsByTagName("failure")[0].getAttribute("message")).toBe("Not caught: a backend that is wrong | unseen.");
  });
});

describe("markdown", () => {
  const text = markdown(REPORT);
  const table = (heading: string): string[] => {
    const lines = text.slice(text.indexOf(heading)).split("\n");
    const start = lines.findIndex((line) => line.startsWith("|"));
    return lines.slice(
      start,
      lines.findIndex((line, index) => index > start && !line.startsWith("|")),
    );
  };

  it("has a row a clause and a column a backend", () => {
    expect(table("# Conformance")).toEqual([
      "| clause | | wrong/one | right/two |",
      "|---|---|---|---|",
      "| 5.1 | The formula | 1 ✓ (0.125, 1.5x) | 1 ✓ (0.125, 1.5x) |",
      "| 6.1 | The formula | **1 failed**, 0 passed |  |",
      "| 9.1 | A mask hides from the statistics | 0 ✓ 1 skipped |  |",
      "| 17.4 | Output buffers | 0 ✓ 1 deviate |  |",
    ]);
  });

  it("escapes what would end a cell, and keeps everything on its line", () => {
    for (const rows of [table("# Conformance"), table("## Mutants")]) {
      const bars = rows.map((row) => row.replaceAll("\\|", "").match(/\|/g)?.length);
      expect(new Set(bars)).toEqual(new Set([bars[0]]));
    }
    expect(table("## Mutants").at(-1)).toBe("| lives | is wrong \\| unseen | **nothing** |");
    expect(text).toContain("- The deviation a\\|b names no check");
    expect(text).toContain("- `training/wrong`: failed. clause 6.1, step 2, movingVariance[1]: expected 2, got 3;");
    expect(text).toContain("- `mask/skipped`: skipped, masks are not supported");
    expect(text).toContain("- `contract/deviates`: xfailed, runtime 1.2 copies \\| a bug");
  });

  it("shows a message of several lines on one", () => {
    const [first, second] = REPORT.results[0].cases[1].failures;
    const cases = [{ ...REPORT.results[0].cases[1], failures: [second, first] }];
    const shown = markdown({ ...REPORT, results: [{ ...REPORT.results[0], cases }] });
    expect(shown).toContain('expected 1 \\| "one" & \\<more>, got NaN. On a line of its own.');
  });

  it("tells the worst error, and that of the reference", () => {
    expect(text).toContain("Worst error not finite of the bound (`training/wrong`).");
    expect(text).toContain("The reference frameworks' own worst error by the same bounds: 0.750 (`inference/plain`).");
    expect(text).toContain("At most 1.5x as far from the truth as they are (`inference/plain`).");
  });
});

describe("pretty", () => {
  const lines = stripVTControlCharacters(pretty(REPORT)).split("\n");
  const has = (...parts: string[]): boolean => lines.some((line) => parts.every((part) => line.includes(part)));

  it("says of every backend and every clause how it stands", () => {
    expect(has("✗ wrong/one", "1 passed, 1 failed, 1 skipped, 1 known deviations")).toBe(true);
    expect(has("✓ right/two", "1 passed, 0 failed")).toBe(true);
    expect(
      lines
        .find((line) => line.trim().startsWith("5.1"))
        ?.trim()
        .split(/ {2,}/),
    ).toEqual(["5.1", "The formula", "1", "0.125", "0.750", "1.5x"]);
    expect(lines.find((line) => line.trim().startsWith("6.1"))).toMatch(/6\.1 +The formula +0 +1 .*not finite/);
  });

  it("explains a failure: clause, position, expected, got, error in ULP and share of the bound", () => {
    expect(has("✗ training/wrong")).toBe(true);
    expect(has("clause 6.1, step 2, movingVariance[1]", "expected 2, got 3", "4.19e+6 ULP", "17 times the bound 0.0588")).toBe(true);
    expect(has("and 7 more like these")).toBe(true);
  });

  it("shows problems, skips, deviations and mutants that live", () => {
    expect(has("✗ The deviation a|b names no check")).toBe(true);
    expect(has("- 1 skipped: masks are not supported")).toBe(true);
    expect(has("! 1 known to deviate: runtime 1.2 copies | a bug")).toBe(true);
    expect(has("✗ mutants", "1 of 2 wrong backends caught")).toBe(true);
    expect(has("lives (4.2, 16.4)", "is wrong | unseen")).toBe(true);
    expect(has("5.2", "epsilon-ignored", "leaves epsilon out")).toBe(true);
  });

  it("shows the first ten failed checks of many", () => {
    const [, failed] = REPORT.results[0].cases;
    const cases = Array.from({ length: 14 }, (_, k) => ({ ...failed, id: `training/${k}` }));
    const shown = stripVTControlCharacters(pretty({ ...REPORT, results: [{ ...REPORT.results[0], cases, failed: 14 }] }));
    expect(shown.match(/✗ training\//g)).toHaveLength(10);
    expect(shown).toContain("and 4 more failed checks: --reporter json has them all");
  });

  it("ends with the verdict", () => {
    expect(lines.at(-2)).toBe("Does not conform: 643 vectors (sha256 0123456789ab), 2 backends.");
    expect(stripVTControlCharacters(pretty(GREEN)).trimEnd().split("\n").at(-1)).toBe(
      "Conforms: 643 vectors (sha256 0123456789ab), 1 backend.",
    );
  });
});

const NUMBER = { type: ["number", "string"], pattern: "^(NaN|-?Infinity)$" };
const WORST = { output: { type: "string" }, step: { type: "integer" }, index: { type: "integer" }, share: NUMBER, ulp: NUMBER };
const closed = (properties: Record<string, unknown>, optional: readonly string[] = []) => ({
  type: "object",
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
const list = (items: unknown) => ({ type: "array", items });
const nullable = (schema: unknown) => ({ anyOf: [schema, { type: "null" }] });
const TEXT = { type: "string" };
const COUNT = { type: "integer", minimum: 0 };

/** What a reader of the JSON report may rely on. */
const REPORT_SCHEMA = closed(
  {
    specVersion: { const: 1 },
    vectors: closed({ count: COUNT, sha256: TEXT }),
    results: list(
      closed({
        backend: TEXT,
        passed: COUNT,
        failed: COUNT,
        skipped: COUNT,
        xfailed: COUNT,
        cases: list(
          closed(
            {
              id: TEXT,
              kind: { enum: ["vector", "contract", "property"] },
              clause: TEXT,
              status: { enum: ["passed", "failed", "skipped", "xfailed"] },
              reason: TEXT,
              worst: nullable(closed(WORST)),
              reference: nullable(closed({ framework: TEXT, ...WORST })),
              failures: list(
                closed(
                  {
                    message: TEXT,
                    output: TEXT,
                    step: COUNT,
                    position: list(COUNT),
                    expected: NUMBER,
                    got: NUMBER,
                    bound: NUMBER,
                    ulp: NUMBER,
                    share: NUMBER,
                  },
                  ["output", "step", "position", "expected", "got", "bound", "ulp", "share"],
                ),
              ),
              failureCount: COUNT,
              timesReference: NUMBER,
              timedOut: { const: true },
            },
            ["reason", "timesReference", "timedOut"],
          ),
        ),
        problems: list(TEXT),
      }),
    ),
    mutants: list(
      closed({
        mutant: TEXT,
        fault: TEXT,
        clauses: list(TEXT),
        caughtBy: nullable(closed({ clause: TEXT, id: TEXT, message: TEXT })),
      }),
    ),
  },
  ["mutants"],
);
