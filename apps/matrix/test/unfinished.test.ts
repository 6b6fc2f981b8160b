import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Matrix } from "@batchnorm/conformance/matrix";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Unfinished } from "../src/unfinished.ts";

const matrix: Matrix = {
  schema: 1,
  suite: { specVersion: 1, version: "0.1.0", vectors: { count: 1, sha256: "0".repeat(64) }, checks: 1, seed: 1, runs: 1 },
  started: "2026-11-26T17:00:00.000Z",
  duration: 1,
  runtimes: [{ id: "deno", name: "Deno", version: "2.9.6", platform: "linux x64", status: "ran", howToGet: "npm" }],
  cells: [{ backend: "cpu", runtime: "deno", status: "not-run", reason: "The run was ended by SIGSEGV." }],
  problems: ["cpu on Deno: The run was ended by SIGSEGV.", "The deviation x names no check."],
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "unfinished-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("a run that was never cut off has left nothing", async () => {
  expect(await new Unfinished(directory).read()).toBeNull();
});

test("what could not be run is tried again, and its problem with it", async () => {
  const unfinished = new Unfinished(join(directory, "new"));
  await Promise.all([unfinished.write({ ...matrix, duration: 0 }), unfinished.write(matrix)]);
  expect(await unfinished.read()).toEqual({ ...matrix, cells: [], problems: ["The deviation x names no check."] });
  await unfinished.remove();
  expect(await readdir(join(directory, "new"))).toEqual([]);
});

test("a damaged file is refused and not taken for none", async () => {
  await writeFile(join(directory, "matrix.unfinished.json"), "{");
  await expect(new Unfinished(directory).read()).rejects.toMatchObject({ code: "invalid-json" });
});
