import { stripVTControlCharacters } from "node:util";
import { DOMParser } from "@xmldom/xmldom";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import type { BackendResult, CaseResult, Report } from "../src/report.ts";
import { json } from "../src/reporters/json.ts";
import { junit } from "../src/reporters/junit.ts";
import { markdown } from "../src/reporters/markdown.ts";
import { pretty } from "../src/reporters/pretty.ts";
import { verdict } from "../src/reporters/verdict.ts";
import { GREEN, REPORT } from "./report.ts";

/** The same of a part of the suite. */
const FILTERED: Report = {
  ...REPORT,
  run: { ...REPORT.run, total: 836, filter: { only: "9", checks: [], quick: true } },
};

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

  it("says BigInt and typed arrays as JSON can", () => {
    const [first, ...others] = REPORT.results[0].cases;
    const outputs = [{ y: Float32Array.of(1, Number.NaN), movingMean: null, movingVariance: null, dx: null, dgamma: null, dbeta: null }];
    const cases = [{ ...first, failures: [{ message: "big", got: 5n as unknown as number }], outputs }, ...others];
    const written = JSON.parse(json({ ...REPORT, results: [{ ...REPORT.results[0], cases }] }));
    expect(written.results[0].cases[0]).toMatchObject({ failures: [{ got: "5n" }], outputs: [{ y: [1, "NaN"] }] });
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
      tests: "10",
      failures: "5",
      errors: "0",
      skipped: "2",
      time: "61.500",
    });
    expect(suites.map(attributes)).toEqual([
      { name: "wrong/one", tests: "6", failures: "3", errors: "0", skipped: "2", time: "1.503" },
      { name: "right/two", tests: "1", failures: "0", errors: "0", skipped: "0", time: "0.002" },
      { name: "run", tests: "1", failures: "1", errors: "0", skipped: "0", time: "0.000" },
      { name: "mutants", tests: "2", failures: "1", errors: "0", skipped: "0", time: "0.000" },
    ]);
    for (const suite of suites) {
      const { tests, failures, skipped } = attributes(suite);
      const count = (tag: string): string => String(suite.getElementsByTagName(tag).length);
      expect([count("testcase"), count("failure"), count("skipped")]).toEqual([tests, failures, skipped]);
    }
  });

  it("tells what failed, what was skipped and why, whatever characters that takes", () => {
    const cases = [...parse(junit(REPORT)).getElementsByTagName("testcase")];
    const [, wrong, skips, deviates, lost, problem] = cases;
    expect(attributes(wrong)).toEqual({ name: "training/wrong", classname: "clause 6.1", time: "1.500" });
    expect(lost.getElementsByTagName("failure")[0].getAttribute("message")).toBe("Not run: checks like it of clause 5.1 had no answer");
    const failure = wrong.getElementsByTagName("failure")[0];
    expect(failure.getAttribute("message")).toBe(REPORT.results[0].cases[1].failures[0].message);
    expect(junit(REPORT)).not.toMatch(/message="[^"]*\n/);
    // XML cannot hold the bell.
    expect(failure.textContent).toBe(
      REPORT.results[0].cases[1].failures
        .map(({ message, stack }) => [message.replace("\u0007", "\uFFFD"), ...(stack === undefined ? [] : [stack])].join("\n"))
        .join("\n"),
    );
    expect(skips.getElementsByTagName("skipped")[0].getAttribute("message")).toBe("Skipped: masks are not supported");
    expect(deviates.getElementsByTagName("skipped")[0].getAttribute("message")).toBe("Known deviation: runtime 1.2 copies | a bug");
    expect(problem.getElementsByTagName("failure")[0].getAttribute("message")).toContain("names no check");
    expect(cases.at(-1)?.getElementsByTagName("failure")[0].getAttribute("message")).toBe("Not caught: a backend that is wrong | unseen.");
  });

  it("says with what the run can be made again", () => {
    const [suite] = parse(junit(FILTERED)).getElementsByTagName("testsuite");
    const properties = [...suite.getElementsByTagName("property")].map((each) => [each.getAttribute("name"), each.getAttribute("value")]);
    expect(Object.fromEntries(properties)).toEqual({
      suiteVersion: "0.1.0",
      vectors: REPORT.vectors.sha256,
      seed: "20150211",
      runs: "60",
      timeout: "60",
      checks: "5 of 836",
      filter: "--only 9 --quick",
    });
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
      "| 5.1 | The formula | **1 not run**, 1 passed | 1 ✓ (0.125, 1.5x) |",
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
    expect(text).toContain("- `inference/lost`: not-run, checks like it of clause 5.1 had no answer");
    expect(text).toContain("- The deviation x names the backend \\<y>, expected one of wrong/one, right/two.");
  });

  it("shows a message of several lines on one", () => {
    const [first, second] = REPORT.results[0].cases[1].failures;
    const cases = [{ ...REPORT.results[0].cases[1], failures: [second, first] }];
    const shown = markdown({ ...REPORT, results: [{ ...REPORT.results[0], cases }] });
    expect(shown).toContain('expected 1 \\| "one" & \\<more>, got NaN. On a line of its own.');
  });

  it("begins with the verdict, and says what failures have in common", () => {
    expect(text).toMatch(/^# Conformance\n\n\*\*Does not conform: wrong\/one /);
    expect(text).toContain("- **mask, with rank 3: all 4 layers of this kind fail, and none of 12 others.**");
  });

  it("tells the worst error, and that of the reference", () => {
    expect(text).toContain("Worst error not finite of the bound (`training/wrong`).");
    expect(text).toContain("The reference frameworks' own worst error by the same bounds: 0.750 (`inference/plain`).");
  });
});

describe("pretty", () => {
  const linesOf = (report: Report): string[] => stripVTControlCharacters(pretty(report)).trimEnd().split("\n");
  const lines = linesOf(REPORT);
  const has = (...parts: string[]): boolean => lines.some((line) => parts.every((part) => line.includes(part)));
  const [bad] = REPORT.results;
  const only = (changes: Partial<BackendResult>): Report => ({ ...REPORT, results: [{ ...bad, ...changes }], problems: [] });

  it("has a line for every backend near its end", () => {
    expect(has("✗ wrong/one", "1 passed, 1 failed, 1 not run, 1 known to deviate, 1 skipped", "1 min 1 s")).toBe(true);
    expect(has("✓ right/two", "1 passed", "worst error 0.125 of the bound", "0.5 s")).toBe(true);
  });

  it("has the table of clauses where one backend is right", () => {
    const table = linesOf(GREEN);
    const row = table.find((line) => line.startsWith("5.1"));
    expect(row?.split(/ {2,}/)).toEqual(["5.1", "The formula", "1", "0.125", "0.750", "1.5x"]);
    expect(table).toContain("The worst error is 0.125 of the bound: y of inference/plain.");
    expect(has("error/bound")).toBe(false);
  });

  it("says what failures have in common once, with one of them and where the others are", () => {
    const at = lines.indexOf("  ! mask, with rank 3: all 4 layers of this kind fail, and none of 12 others.");
    expect(at).toBeGreaterThan(0);
    expect(lines[at + 1]).toBe("    ✗ training/wrong");
    expect(lines.filter((line) => line.includes("training/wrong") && !line.includes("--check"))).toHaveLength(1);
    const two = { ...bad.cases[1], id: "mask/wrong", clause: "9.1" };
    const causes = [{ ...bad.causes[0], checks: ["training/wrong", "mask/wrong"] }];
    expect(linesOf(only({ causes, cases: [...bad.cases, two] }))).toContain("    2 checks of the clauses 6.1 (1), 9.1 (1)");
  });

  it("explains a failure: position, expected, got, error in ULP and share of the bound, and where it was thrown", () => {
    expect(has("step 2, movingVariance[1]", "expected 2, got 3", "4.19e+6 ULP", "17 times the bound 0.0588")).toBe(true);
    expect(has("and 7 more")).toBe(true);
    const threw = {
      ...bad.cases[1],
      failures: [{ message: "clause 6.1: the backend threw Error: x", stack: "at infer (a.mjs:3:5)\nat b" }],
    };
    const shown = linesOf(only({ causes: [], cases: [threw] }));
    const at = shown.indexOf("        the backend threw Error: x");
    expect(shown.slice(at, at + 3)).toEqual(["        the backend threw Error: x", "          at infer (a.mjs:3:5)", "          at b"]);
  });

  it("shows the clause at fault first, and counts what it does not show", () => {
    const [, failed] = bad.cases;
    const make = (clause: string, count: number, kind: CaseResult["kind"] = "vector"): CaseResult[] =>
      Array.from({ length: count }, (_, k) => ({ ...failed, id: `${clause}/${k}`, clause, kind }));
    const passed = make("5.1", 20).map((each, k): CaseResult => ({ ...each, id: `5.1/passed/${k}`, status: "passed" }));
    const cases = [...passed, ...make("5.1", 5), ...make("6.1", 5), ...make("7.1", 2), ...make("9.1", 1), ...make("17.4", 2, "contract")];
    const shown = linesOf(only({ causes: [], cases }));
    const headings = shown.filter((line) => / fail$/.test(line)).map((line) => line.trim());
    expect(headings).toEqual([
      "17.4 Output buffers  2 of 2 fail",
      "6.1 The formula  5 of 5 fail",
      "7.1 The update  2 of 2 fail",
      "9.1 A mask hides from the statistics  1 of 1 fail",
    ]);
    expect(shown).toContain("    and 2 more checks of this clause");
    expect(shown).toContain("  Also fail  5.1 (5 of 25)");
  });

  it("says how to look into a failure", () => {
    expect(has("To look into one: --check training/wrong.")).toBe(true);
    expect(linesOf(GREEN).some((line) => line.includes("--check"))).toBe(false);
  });

  it("shows problems, skips, deviations, what was not run and mutants that live", () => {
    expect(has("✗ The deviation a|b names no check")).toBe(true);
    expect(has("✗ The deviation x names the backend <y>")).toBe(true);
    expect(has("! 1 skipped: masks are not supported")).toBe(true);
    expect(has("! 1 known to deviate: runtime 1.2 copies | a bug")).toBe(true);
    expect(has("✗ 1 not run: checks like it of clause 5.1 had no answer")).toBe(true);
    expect(has("✗ mutants", "1 of 2 wrong backends caught")).toBe(true);
    expect(has("lives (4.2, 16.4)", "is wrong | unseen")).toBe(true);
    expect(has("5.2", "epsilon-ignored", "leaves epsilon out")).toBe(true);
  });

  it("ends with the verdict, and with what the run can be made again", () => {
    expect(lines.at(-2)).toMatch(/^Does not conform: wrong\/one \(of 2 backends\), 1 of 5 checks failed, 1 of 5 checks were not run\.$/);
    expect(lines.at(-1)).toBe("seed 20150211, 60 random cases a property, vectors 0123456789ab, 1 min 2 s");
  });
});

describe("the verdict", () => {
  const [, right] = GREEN.results.concat(GREEN.results);
  const [passed, , skipped, deviates] = REPORT.results[0].cases;
  const of = (...results: BackendResult[]): Report => ({ ...GREEN, results });

  it("says of how many", () => {
    expect(verdict(GREEN)).toBe("Conforms: 1 of 1 vectors, 1 of 1 checks.");
    expect(verdict(of(right, right, right))).toBe("Conforms: all 3 backends, 1 of 1 vectors, 1 of 1 checks each.");
    const two = { ...right, cases: [passed, passed], passed: 2 };
    expect(verdict(of(two, { ...two, cases: [passed, deviates], passed: 1 }))).toBe("Conforms: all 2 backends, 1 to 2 of 2 checks each.");
  });

  it("says so when only what is claimed was held against it, and what is known to deviate", () => {
    const some = { ...right, cases: [passed, skipped], skipped: 1 };
    expect(verdict(of(some))).toBe("Conforms in what it claims: 1 of 2 vectors, 1 of 2 checks.");
    expect(verdict(of(some, some))).toBe("Conforms in what they claim: all 2 backends, 1 of 2 vectors, 1 of 2 checks each.");
    expect(verdict(of({ ...right, cases: [passed, deviates], xfailed: 1 }))).toBe(
      "Conforms but for 1 known deviation: 1 of 1 vectors, 1 of 2 checks.",
    );
  });

  it("never says that a part of the suite conforms", () => {
    expect(verdict({ ...GREEN, run: FILTERED.run })).toBe(
      "Passed: 1 of 1 vectors, 1 of 1 checks. That was 5 of the suite's 836 checks (--only 9 --quick), and is no verdict on the whole.",
    );
    expect(verdict(FILTERED)).toMatch(/^Failed: wrong\/one .* That was 5 of the suite's 836 checks/);
    const single = { ...FILTERED, run: { ...FILTERED.run, filter: { only: null, checks: ["a/b"], quick: false } } };
    expect(verdict(single)).toContain("(--check a/b)");
  });

  it("is red for a problem alone", () => {
    expect(verdict(of({ ...right, problems: ["x"] }))).toBe("Does not conform: the run had a problem.");
    expect(verdict({ ...GREEN, problems: ["x"] })).toBe("Does not conform: something is wrong with the run, see above.");
  });

  it("names a few backends, and counts many", () => {
    const wrong = (backend: string): BackendResult => ({ ...right, backend, failed: 1 });
    expect(verdict(of(right, wrong("a"), wrong("b")))).toBe("Does not conform: a, b (of 3 backends), 1 of 1 checks failed each.");
    expect(verdict(of(right, ...["a", "b", "c", "d", "e"].map(wrong)))).toMatch(/^Does not conform: 5 backends \(of 6 backends\)/);
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
const DURATION = { type: "number", minimum: 0 };

/** What a reader of the JSON report may rely on. */
const REPORT_SCHEMA = closed(
  {
    specVersion: { const: 1 },
    suiteVersion: TEXT,
    vectors: closed({ count: COUNT, sha256: TEXT }),
    run: closed({
      filter: closed({ only: nullable(TEXT), checks: list(TEXT), quick: { type: "boolean" } }),
      backends: list(TEXT),
      selected: COUNT,
      total: COUNT,
      seed: COUNT,
      runs: COUNT,
      timeout: DURATION,
      duration: DURATION,
    }),
    problems: list(TEXT),
    results: list(
      closed({
        backend: TEXT,
        supports: nullable({ type: "object" }),
        notRun: COUNT,
        duration: DURATION,
        causes: list(
          closed({
            traits: list(TEXT),
            failed: COUNT,
            of: COUNT,
            others: closed({ failed: COUNT, of: COUNT }),
            checks: list(TEXT),
          }),
        ),
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
              status: { enum: ["passed", "failed", "skipped", "xfailed", "not-run"] },
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
                    stack: TEXT,
                  },
                  ["output", "step", "position", "expected", "got", "bound", "ulp", "share", "stack"],
                ),
              ),
              failureCount: COUNT,
              timesReference: NUMBER,
              duration: DURATION,
              lost: { enum: ["timed out", "crashed"] },
              traits: list(TEXT),
              trials: closed({ failed: list(COUNT), skipped: list(COUNT) }),
              outputs: list({ type: "object" }),
            },
            ["reason", "timesReference", "lost", "traits", "trials", "outputs"],
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
