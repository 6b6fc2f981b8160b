import { DOMParser, type Element } from "@xmldom/xmldom";
import { expect, test } from "vitest";
import {
  isMatrixGreen,
  type Matrix,
  type MatrixRuntime,
  matrixClausesMarkdown,
  matrixJunit,
  matrixMarkdown,
  matrixSummary,
  matrixVerdict,
  mergeMatrices,
  toMatrix,
} from "../src/matrix/index.ts";
import { GREEN, REPORT } from "./report.ts";

const node: MatrixRuntime = {
  id: "node-20",
  name: "Node 20",
  version: "20.20.2",
  platform: "linux x64",
  status: "ran",
  howToGet: "`npm i node`",
};
const { version, platform, ...named } = { ...node, id: "firefox", name: "Firefox" };
const firefox: MatrixRuntime = { ...named, version: null, platform: null, status: "not-run", reason: "there is | none" };
const STARTED = "2026-11-26T17:00:00.000Z";

const bad = toMatrix(REPORT, node, STARTED);
const quick = { ...GREEN, run: { ...GREEN.run, selected: 4, filter: { ...GREEN.run.filter, quick: true } } };
const missing: Matrix = {
  ...bad,
  runtimes: [firefox],
  cells: [{ backend: "right/two", runtime: "firefox", status: "not-run", reason: "there is | none" }],
  problems: [],
};
const all = mergeMatrices([bad, missing, toMatrix(quick, { ...node, id: "bun", name: "Bun" }, STARTED)]);
const good = mergeMatrices([toMatrix(GREEN, node, STARTED), missing]);

/** A line of Markdown that has all of these. */
function line(text: string, ...parts: string[]): string | undefined {
  return text.split("\n").find((each) => parts.every((part) => each.includes(part)));
}

test("a matrix is green where everything that was run is right, and says how much that was", () => {
  expect(isMatrixGreen(good)).toBe(true);
  expect(isMatrixGreen(all)).toBe(false);
  expect(isMatrixGreen({ ...all, problems: [] })).toBe(false);
  expect(isMatrixGreen({ ...good, problems: ["The run ended."] })).toBe(false);
  expect(matrixVerdict(good)).toBe("Conforms: all 1 cells that were run. 1 of 2 cells were run, 1 of them with the whole suite.");
  expect(matrixVerdict(all)).toBe("Does not conform: wrong/one on node-20. 3 of 4 cells were run, 2 of them with the whole suite.");
  expect(matrixVerdict(missing)).toBe("Nothing was run.");
});

test("the page has one cell for each backend on each runtime, and says what failed or is missing", () => {
  const text = matrixMarkdown(all, "clauses.md");
  expect(line(text, "| right/two |")).toBe("| right/two | ✓ 1 (0.125) | ✓ 1 (0.125) *quick* | not run |");
  expect(line(text, "| wrong/one |")).toBe(
    "| wrong/one | **1 failed**, **1 not run**, **a problem**, 1 passed, 1 skipped, 1 deviate (not finite) |  |  |",
  );
  expect(line(text, "right/two on Firefox:")).toBe("- right/two on Firefox: there is \\| none");
  expect(line(text, "`training/wrong`")).toContain("failed. clause 6.1, step 2");
  expect(line(text, "`contract/deviates`")).toContain("runtime 1.2 copies");
  expect(line(text, "| Firefox |", "**not run**", "npm i node")).toBeDefined();
  expect(matrixSummary(all).split("\n")).toEqual([
    "| | Node 20 | Bun | Firefox |",
    "|---|---|---|---|",
    "| right/two | ✓ 1 | ✓ 1 | not run |",
    "| wrong/one | ✗ 2 |  |  |",
  ]);
});

test("the page of the clauses has the error, the framework's own and their ratio", () => {
  const text = matrixClausesMarkdown(all);
  expect(text).toContain("## Node 20 (20.20.2)");
  expect(line(text, "| 5.1 | The formula |")).toBe("| 5.1 | The formula | 1 ✓ (0.125, 0.750, 1.5x) | **1 not run**, 1 passed |");
  expect(text).not.toContain("## Firefox");
});

test("JUnit has a suite a cell, a case a clause and one for each check that did not pass", () => {
  const parsed = new DOMParser().parseFromString(matrixJunit(all), "text/xml");
  const suites = Array.from(parsed.getElementsByTagName("testsuite"));
  const numbers = (each: Element): unknown[] => ["name", "tests", "failures", "skipped"].map((name) => each.getAttribute(name));
  expect(suites.map(numbers)).toEqual([
    ["right/two on node-20", "1", "0", "0"],
    ["wrong/one on node-20", "8", "5", "2"],
    ["right/two on bun", "1", "0", "0"],
    ["right/two on firefox", "1", "0", "1"],
    ["run", "1", "1", "0"],
  ]);
  const cases = Array.from(suites[1].getElementsByTagName("testcase")).map((each) => each.getAttribute("name"));
  expect(cases).toContain("training/wrong");
  expect(cases).toContain("5.1 The formula");
});

test("what was not run is a failure only where everything is required", () => {
  const failures = (text: string): string | null | undefined =>
    new DOMParser().parseFromString(text, "text/xml").documentElement?.getAttribute("failures");
  expect(failures(matrixJunit(good))).toBe("0");
  expect(failures(matrixJunit(good, { requireAll: true }))).toBe("1");
});
