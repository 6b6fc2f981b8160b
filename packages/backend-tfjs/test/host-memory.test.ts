import { tfjsCpu } from "@batchnorm/adapters/tfjs/node";
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { hostMemory } from "../src/kernels/host/memory.ts";

beforeAll(async () => {
  await tfjsCpu();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** The elements of a new tensor on cpu, large enough to be memory that was not cleared. */
function allocated(): Float32Array {
  const memory = hostMemory(tf.backend())!;
  return memory.elements(memory.allocate([100, 50])) as Float32Array;
}

it("an output has memory of its own, all of it", () => {
  const [a, b] = [allocated(), allocated()];
  for (const each of [a, b]) {
    expect(each).toHaveLength(5000);
    expect(each.buffer.byteLength).toBe(20_000);
  }
  expect(a.buffer).not.toBe(b.buffer);
});

it.each([
  ["no Buffer", undefined],
  ["a Buffer without such memory", {}],
  ["a Buffer that gives parts of a pool", { allocUnsafeSlow: (bytes: number) => new Uint8Array(new ArrayBuffer(bytes + 8), 8, bytes) }],
  ["a Buffer that gives the start of a pool", { allocUnsafeSlow: (bytes: number) => new Uint8Array(new ArrayBuffer(bytes + 8), 0, bytes) }],
])("so it has where there is %s", (_, buffer) => {
  vi.stubGlobal("Buffer", buffer);
  const elements = allocated();
  vi.unstubAllGlobals();
  expect(elements).toHaveLength(5000);
  expect(elements.buffer.byteLength).toBe(20_000);
});
