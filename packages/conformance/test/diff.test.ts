import { expect, test } from "vitest";
import { diffMatrices, type Matrix, type RunCell, toMatrix } from "../src/matrix/index.ts";
import { NODE, STARTED } from "./matrix-fixture.ts";
import { REPORT } from "./report.ts";

const before = toMatrix(REPORT, NODE, STARTED);
const ran = (of: Matrix, backend: string): RunCell => of.cells.find((cell) => cell.backend === backend) as RunCell;

/** A matrix in which one cell is another one. */
function withCell(backend: string, change: (cell: RunCell) => Matrix["cells"][number]): Matrix {
  return { ...before, cells: before.cells.map((cell) => (cell.backend === backend ? change(cell as RunCell) : cell)) };
}

test("nothing differs between a result and itself", () => {
  expect(diffMatrices(before, before)).toEqual({ suite: [], runtimes: [], cells: [], same: 2 });
});

test("times are no difference", () => {
  const later = {
    ...withCell("right/two", (cell) => ({ ...cell, result: { ...cell.result, duration: 7 } })),
    duration: 1,
    started: "2026-11-27",
  };
  expect(diffMatrices(before, later).cells).toEqual([]);
});

test("a check that fails and did not is worse, and the other way round better", () => {
  const failed = ran(before, "wrong/one").result.cases[0];
  const broken = withCell("right/two", (cell) => ({ ...cell, result: { ...cell.result, cases: [failed], failed: 1, passed: 0 } }));
  const change = { name: failed.id, before: "passed", after: "failed" };
  expect(diffMatrices(before, broken).cells).toMatchObject([{ backend: "right/two", worse: [change], better: [] }]);
  const back = { name: failed.id, before: "failed", after: "passed" };
  expect(diffMatrices(broken, before).cells).toMatchObject([{ backend: "right/two", worse: [], better: [back] }]);
});

test("a check that is skipped and was not is worse, and one that deviates from failing is better", () => {
  const skipping = withCell("right/two", (cell) => ({
    ...cell,
    result: { ...cell.result, skips: [{ reason: "not supported", checks: ["inference/plain"] }] },
  }));
  expect(diffMatrices(before, skipping).cells[0].worse).toEqual([{ name: "inference/plain", before: "passed", after: "skipped" }]);
  const excused = withCell("wrong/one", (cell) => ({
    ...cell,
    result: {
      ...cell.result,
      cases: cell.result.cases.map((each) => (each.id === "training/wrong" ? { ...each, status: "xfailed", reason: "known" } : each)),
    },
  }));
  expect(diffMatrices(before, excused).cells[0].better).toEqual([{ name: "training/wrong", before: "failed", after: "xfailed" }]);
});

test("of a check that only one run had, it does not say that it passed in the other", () => {
  const failed = ran(before, "wrong/one").result.cases[0];
  const quick = withCell("right/two", (cell) => ({
    ...cell,
    run: { ...cell.run, quick: true },
    result: { ...cell.result, cases: [failed] },
  }));
  expect(diffMatrices(before, quick).cells[0].worse).toEqual([{ name: failed.id, before: null, after: "failed" }]);
  const otherSeed = { ...before, suite: { ...before.suite, seed: 1 } };
  const broken = withCell("right/two", (cell) => ({ ...cell, result: { ...cell.result, cases: [failed] } }));
  expect(diffMatrices(otherSeed, broken).cells[0].worse).toEqual([{ name: failed.id, before: null, after: "failed" }]);
  expect(diffMatrices(otherSeed, broken).suite).toEqual([{ name: "seed", before: "1", after: "20150211" }]);
});

test("an error that grew comes before one that shrank", () => {
  const shares = (values: Readonly<Record<string, number>>): Matrix =>
    withCell("wrong/one", (cell) => ({
      ...cell,
      result: {
        ...cell.result,
        clauses: Object.entries(values).map(([clause, share]) => ({
          ...cell.result.clauses[0],
          clause,
          worst: { share, ulp: 1, check: "a" },
        })),
      },
    }));
  const [cell] = diffMatrices(shares({ "5.1": 0.5, "6.1": 0.1, "7.1": 0.2 }), shares({ "5.1": 0.25, "6.1": 0.8, "7.1": 0.2 })).cells;
  expect(cell.errors).toEqual([
    { name: "6.1", before: 0.1, after: 0.8 },
    { name: "5.1", before: 0.5, after: 0.25 },
  ]);
});

test("a runtime of another version, one that was not run, and cells that only one result has", () => {
  const later: Matrix = {
    ...before,
    runtimes: [{ ...NODE, version: "20.21.0" }],
    cells: [{ backend: "new/three", runtime: NODE.id, status: "not-run", reason: "no GPU" }, before.cells[0]],
  };
  const { runtimes, cells, same } = diffMatrices(before, later);
  expect(runtimes).toEqual([{ name: "Node 20", before: "20.20.2 (linux x64)", after: "20.21.0 (linux x64)" }]);
  expect(same).toBe(1);
  expect(cells.map(({ backend, before: a, after: b }) => [backend, a?.status, b?.status])).toEqual([
    ["new/three", undefined, "not-run"],
    [before.cells[1].backend, "ran", undefined],
  ]);
  const { reason: _, ...never } = { ...NODE, reason: "" };
  const missing: Matrix = { ...before, runtimes: [{ ...never, version: null, status: "not-run", reason: "there is none" }], cells: [] };
  expect(diffMatrices(before, missing).runtimes).toEqual([{ name: "Node 20", before: "20.20.2 (linux x64)", after: null }]);
});
