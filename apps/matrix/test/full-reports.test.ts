import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "@batchnorm/conformance";
import { afterAll, expect, test } from "vitest";
import { keepIn, mergeReports } from "../src/full-reports.ts";
import { plan } from "../src/plan.ts";

const directory = mkdtempSync(join(tmpdir(), "full-reports-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("the reports of all cells are one, which says where each backend ran", async () => {
  await expect(mergeReports(directory, ["node-24", "chromium"])).rejects.toThrow("no such file");
  const tasks = plan(["chromium", "node-24"], [], "once");
  for (const task of tasks) await keepIn(directory)(task, reportOf(task.backend));
  const { results, problems } = await mergeReports(directory, ["node-24", "chromium"]);
  const names = results.map(({ backend }) => backend);
  expect(names.slice(0, 2)).toEqual(["cpu", "cpu/plain"]);
  expect(names).toContain("onnx/webgpu on gpu-buffer (Chromium)");
  expect(names).toHaveLength(tasks.length);
  expect(problems).toHaveLength(tasks.length);
});

function reportOf(backend: string): Report {
  const counts = { passed: 0, failed: 0, skipped: 0, xfailed: 0, notRun: 0, duration: 1 };
  const results = [{ backend, supports: null, ...counts, cases: [], causes: [], problems: [] }];
  const run = { total: 1, selected: 1, only: null, checks: [], quick: false, timeout: 60, seed: 1, runs: 1, duration: 1 };
  const vectors = { sha256: "0".repeat(64), count: 1 };
  return { specVersion: 1, suiteVersion: "0.1.0", vectors, run, results, problems: ["one"] } as unknown as Report;
}
