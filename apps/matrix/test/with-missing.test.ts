import type { Matrix } from "@batchnorm/conformance/matrix";
import { expect, test } from "vitest";
import { plan } from "../src/plan.ts";
import { withMissing } from "../src/with-missing.ts";

const deno = { id: "deno", name: "Deno", version: "2.9.6", platform: "linux x64", status: "ran", howToGet: "npm" } as const;
const result = { supports: null, passed: 1, failed: 0, skipped: 0, xfailed: 0, notRun: 0, duration: 1 };
const matrix: Matrix = {
  schema: 1,
  suite: { specVersion: 1, version: "0.1.0", vectors: { count: 1, sha256: "0".repeat(64) }, checks: 1, seed: 1, runs: 1 },
  started: "2026-11-26T17:00:00.000Z",
  duration: 1,
  runtimes: [deno],
  cells: [
    {
      backend: "cpu",
      runtime: "deno",
      status: "ran",
      run: { only: null, checks: [], quick: false, selected: 1, timeout: 1 },
      result: { ...result, clauses: [], cases: [], skips: [], causes: [], problems: [] },
    },
  ],
  problems: ["a problem"],
};

test("a cell that no file has was not run, and what was run stays", () => {
  const whole = withMissing(matrix, plan(["deno", "bun"], ["cpu", "onnx/cpu"], "once"));
  expect(whole.cells.map(({ runtime, backend, status }) => [runtime, backend, status])).toEqual([
    ["deno", "cpu", "ran"],
    ["deno", "onnx/cpu", "not-run"],
    ["bun", "cpu", "not-run"],
    ["bun", "onnx/cpu", "not-run"],
  ]);
  expect(whole.runtimes[0]).toEqual(deno);
  expect(whole.runtimes[1]).toMatchObject({
    id: "bun",
    version: null,
    status: "not-run",
    reason: "none of the merged result files has it",
  });
  expect([whole.duration, whole.problems]).toEqual([1, ["a problem"]]);
});

test("a matrix that lacks nothing stays as it is", () => {
  expect(withMissing(matrix, plan(["deno"], ["cpu"], "once"))).toEqual(matrix);
});
