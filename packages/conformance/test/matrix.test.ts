import { isBatchNormError } from "@batchnorm/spec";
import { expect, test } from "vitest";
import { type Matrix, type MatrixRuntime, mergeMatrices, type RunCell, readMatrix, toMatrix, writeMatrix } from "../src/matrix/index.ts";
import { FIREFOX as firefox, NODE as node, STARTED } from "./matrix-fixture.ts";
import { REPORT } from "./report.ts";

const bun: MatrixRuntime = { ...node, id: "bun", name: "Bun", version: "1.4.5", howToGet: "npm install bun" };
const matrix = toMatrix(REPORT, node, STARTED);
const onBun = toMatrix({ ...REPORT, problems: [] }, bun, "2026-11-26T16:00:00.000Z");
const without: Matrix = {
  ...matrix,
  runtimes: [firefox],
  cells: [{ backend: "right/two", runtime: "firefox", status: "not-run", reason: "there is no Firefox" }],
};
const cell = (of: Matrix, backend: string): RunCell => of.cells.find((each) => each.backend === backend) as RunCell;

/** The code and the sentence of the error that something throws. */
function refusal(make: () => unknown): [code: string, sentence: string] {
  try {
    make();
  } catch (error) {
    if (isBatchNormError(error)) return [error.code, error.message];
    throw error;
  }
  throw new Error("Nothing was refused.");
}

/** The text of the matrix with one field set to another value. */
function withField(path: readonly (string | number)[], value: unknown): string {
  const copy = JSON.parse(writeMatrix(matrix));
  const holder = path.slice(0, -1).reduce((at, key) => at[key], copy);
  holder[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

test("passed checks become counts and extremes of their clause, all others stay in full", () => {
  const { result } = cell(matrix, "wrong/one");
  expect(result.clauses.map(({ clause }) => clause)).toEqual(["5.1", "6.1", "9.1", "17.4"]);
  expect(result.clauses[0]).toEqual({
    clause: "5.1",
    passed: 1,
    failed: 0,
    skipped: 0,
    xfailed: 0,
    notRun: 1,
    duration: 2,
    worst: { share: 0.125, ulp: 0.5, check: "inference/plain" },
    reference: { share: 0.75, ulp: 3, check: "inference/plain", framework: "keras/tensorflow" },
    timesReference: { times: 1.53, check: "inference/plain" },
  });
  expect(result.cases.map(({ id }) => id)).toEqual(["training/wrong", "contract/deviates", "inference/lost"]);
  expect(result.cases[0].failures).toEqual(REPORT.results[0].cases[1].failures);
  expect(result.skips).toEqual([{ reason: "masks are not supported", checks: ["mask/skipped"] }]);
});

test("what is written is read as it was, with numbers that are not finite, and written the same", () => {
  const text = writeMatrix(matrix);
  const read = readMatrix(text);
  expect(read).toEqual(matrix);
  expect(cell(read, "wrong/one").result.cases[0].failures[1].got).toBeNaN();
  expect(writeMatrix(read)).toBe(text);
});

test("merging goes by runtime and backend, whatever the order of the parts", () => {
  const merged = mergeMatrices([without, matrix, onBun]);
  expect(merged.runtimes.map(({ id }) => id)).toEqual(["node-20", "bun", "firefox"]);
  expect(merged.cells.map(({ backend, runtime }) => `${runtime} ${backend}`)).toEqual([
    "node-20 right/two",
    "node-20 wrong/one",
    "bun right/two",
    "bun wrong/one",
    "firefox right/two",
  ]);
  expect(merged.started).toBe("2026-11-26T16:00:00.000Z");
  expect(merged.duration).toBe(3 * 61_500);
  expect(writeMatrix(mergeMatrices([onBun, without, matrix]))).toBe(writeMatrix(merged));
});

test("what one part could not run and another did counts as run", () => {
  const ran = toMatrix({ ...REPORT, problems: [] }, { ...bun, id: "firefox", name: "Firefox" }, STARTED);
  const merged = mergeMatrices([without, ran]);
  expect(merged.runtimes).toEqual(ran.runtimes);
  expect(merged.cells).toEqual(ran.cells);
});

test("parts that contradict each other are not merged", () => {
  expect(refusal(() => mergeMatrices([]))).toEqual(["invalid-argument", expect.stringContaining("nothing to merge")]);
  const twice = refusal(() => mergeMatrices([matrix, matrix]));
  expect(twice[1]).toBe('Two parts ran right/two on node-20: received "right/two on node-20", expected every cell in one part only.');
  const older: Matrix = { ...matrix, runtimes: [{ ...node, version: "20.9.0" }], cells: [] };
  expect(refusal(() => mergeMatrices([matrix, older]))[1]).toContain("ran Node 20 in two versions");
  for (const changed of [
    { seed: 1 },
    { checks: 4 },
    { version: "0.2.0" },
    { runs: 5 },
    { vectors: { count: 1, sha256: "f".repeat(64) } },
  ]) {
    const other: Matrix = { ...onBun, suite: { ...onBun.suite, ...changed } };
    expect(refusal(() => mergeMatrices([matrix, other]))).toEqual(["invalid-argument", expect.stringContaining("different")]);
  }
});

test.each<[what: string, text: string, code: string, sentence: string]>([
  ["no JSON", "{", "invalid-json", "is not JSON"],
  ["a list", "[]", "invalid-json", "is not an object"],
  ["null", "null", "invalid-json", "is not an object"],
  ["a later schema", withField(["schema"], 2), "wrong-version", "received 2, expected 1"],
  ["no schema", "{}", "wrong-version", "received undefined"],
  ["a field of the wrong type", withField(["cells", 0, "result", "passed"], "1"), "invalid-json", "cells[0].result.passed"],
  ["a fraction of a check", withField(["suite", "checks"], 1.5), "invalid-json", "suite.checks"],
  ["an unknown field", withField(["cells", 0, "colour"], "red"), "invalid-json", "cells[0].colour"],
  ["a missing field", withField(["runtimes", 0, "howToGet"], undefined), "invalid-json", "runtimes[0].howToGet"],
  ["an unknown status", withField(["cells", 0, "status"], "perhaps"), "invalid-json", "cells[0].status"],
  ["a passed check in full", withField(["cells", 1, "result", "cases", 0, "status"], "passed"), "invalid-json", "cases[0].status"],
  ["a manifest out of order", withField(["cells", 0, "result", "supports"], { maxRank: 1 }), "invalid-json", "result.supports"],
  ["a time of no form", withField(["started"], "yesterday"), "invalid-json", "started"],
  ["a digest of no form", withField(["suite", "vectors", "sha256"], "abc"), "invalid-json", "sha256"],
  ["a cell of no runtime", withField(["cells", 0, "runtime"], "node-99"), "invalid-json", "the id of one of the runtimes"],
  ["a cell twice", withField(["cells", 0, "backend"], "wrong/one"), "invalid-json", "every backend once"],
  ["counts that do not add up", withField(["cells", 0, "result", "passed"], 7), "invalid-json", "the sum over its clauses"],
  ["a failure that is not listed", withField(["cells", 1, "result", "cases"], []), "invalid-json", "as many as did not pass"],
  ["a skip without a reason", withField(["cells", 1, "result", "skips"], []), "invalid-json", "as many as were skipped"],
  ["a runtime that ran, with a reason", withField(["runtimes", 0, "reason"], "tired"), "invalid-json", "runtimes[0].reason"],
])("a file with %s is refused", (_, text, code, sentence) => {
  expect(refusal(() => readMatrix(text))).toEqual([code, expect.stringContaining(sentence)]);
});
