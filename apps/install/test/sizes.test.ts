import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "@batchnorm/packing";
import { describe, expect, it } from "vitest";
import { weigh } from "../src/weigh.ts";

const LAYER = "globalThis.y = (await createBackend(globalThis.options)).create({}, globalThis.state).call(globalThis.x);";
const layerOf = (entry: string): string => `import { createBackend } from "@batchnorm/${entry}"; ${LAYER}`;
const allOf = (entry: string): string => `import * as all from "@batchnorm/${entry}"; globalThis.all = all;`;

/**
 * What a page loads, and how much it may be: bytes, minified by esbuild and gzipped, with the spec and every dependency but the runtimes.
 * Each budget is some 2 % above what it was when it was written. To see what a bundle is made of: the message of a failure.
 */
const BUDGETS = [
  { what: "cpu: inference alone, plain", program: layerOf("backend-cpu/plain-inference"), most: 9_600 },
  { what: "cpu: inference alone", program: layerOf("backend-cpu/inference"), most: 15_700 },
  { what: "cpu: a layer that can train", program: layerOf("backend-cpu"), most: 23_700 },
  { what: "cpu: everything", program: allOf("backend-cpu"), most: 27_000 },
  { what: "cpu: the kernels", program: allOf("backend-cpu/kernels"), most: 13_700 },
  { what: "onnx: a layer", program: layerOf("backend-onnx/custom"), most: 36_500 },
  { what: "onnx: everything", program: allOf("backend-onnx/custom"), most: 59_000 },
  { what: "tfjs: a layer", program: layerOf("backend-tfjs"), most: 27_000 },
  { what: "tfjs: everything", program: allOf("backend-tfjs"), most: 30_300 },
  { what: "tfjs: the layers of tfjs-layers", program: allOf("backend-tfjs/layers"), most: 22_300 },
  { what: "onnx-model: everything", program: allOf("onnx-model"), most: 59_000 },
  { what: "weights: everything", program: allOf("weights"), most: 18_500 },
];

it.each(BUDGETS)("$what stays within $most bytes", async ({ program, most }) => {
  const { gzipped, modules } = await weigh(program);
  const largest = modules.slice(0, 12).map(([path, bytes]) => `${bytes} ${path}`);
  expect(gzipped, `gzipped; the largest modules, minified:\n${largest.join("\n")}`).toBeLessThanOrEqual(most);
});

it.each(BUDGETS)("$what has a budget that is not far above it", async ({ program, most }) => {
  expect((await weigh(program)).gzipped).toBeGreaterThan(0.93 * most);
});

describe("the README of the CPU backend", () => {
  const text = readFileSync(join(ROOT, "packages/backend-cpu/README.md"), "utf8");
  const rows = [...text.matchAll(/^\| `@batchnorm\/(backend-cpu[^`]*)` \| .* \| (\d+) kB \|$/gm)].map(
    ([, entry, size]) => [entry, size] as const,
  );

  it("has a size for each entry", () => expect(rows).toHaveLength(4));

  it.each(rows)("says how much of a page %s is: %s kB", async (entry, size) => {
    const { gzipped } = await weigh(entry === "backend-cpu/kernels" ? allOf(entry) : layerOf(entry));
    expect(Math.abs(gzipped / 1000 - Number(size))).toBeLessThan(0.8);
  });
});
