import { onnxCpu, onnxWasm } from "@batchnorm/adapters/onnx/node";
import { tfjsCpu, tfjsWasm } from "@batchnorm/adapters/tfjs/node";
import { createBackend } from "@batchnorm/backend-cpu";
import type { AnyBackend } from "@batchnorm/conformance";
import { MUTANTS } from "@batchnorm/mutants";
import { describe, expect, it } from "vitest";
import { fuzz } from "../src/fuzz.ts";

const SEED = 1502;
const reference = createBackend({ kernels: "plain" });
const NAMES = ["frozen-learns", "all-hidden-decays", "backward-moves", "refusal-drops-pass", "gradients-accumulate", "rank-1-taken"];

describe("random sequences of calls, held against the plain kernels", () => {
  it.each<[string, number, () => AnyBackend | Promise<AnyBackend>]>([
    ["cpu", 150, () => createBackend()],
    ["cpu/wasm", 150, () => createBackend({ kernels: "wasm" })],
    ["tfjs/cpu", 100, tfjsCpu],
    ["tfjs/wasm", 100, tfjsWasm],
    ["onnx/wasm", 20, onnxWasm],
    ["onnx/cpu", 20, onnxCpu],
  ])("%s, %i of them", async (name, runs, make) => {
    const backend = await make();
    expect(backend.name).toBe(name);
    expect(await fuzz(reference, backend, { seed: SEED, runs })).toEqual({ runs, finding: null });
  });
});

describe("finds what mutants do wrong", () => {
  it.each(NAMES)("%s", async (name) => {
    const mutant = MUTANTS.find((each) => each.name === name)!;
    const { finding } = await fuzz(reference, await mutant.create(), { seed: SEED, runs: 1000 });
    expect(finding?.difference).toMatch(/^deed \d+/);
    // It is shrunk to the deeds that matter.
    expect(finding?.sequence.deeds.length).toBeLessThanOrEqual(6);
  });
});
