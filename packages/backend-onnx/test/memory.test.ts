import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createBackend, type OnnxBackend } from "../src/index.ts";
import { STATE, X } from "./layers.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

// The runtime's own heap is a WebAssembly.Memory that it does not show: taken note of as it is made.
const memories: WebAssembly.Memory[] = [];
const { Memory } = WebAssembly;
WebAssembly.Memory = class extends Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.push(this);
  }
};
const { ort } = await import("./ort-web.ts");

/** The bytes of JavaScript's heap that are in use, and those of the runtime's, which only grows. */
async function heaps(): Promise<{ javascript: number; wasm: number }> {
  // Finalizers run in turns of the event loop.
  for (let k = 0; k < 4; k++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { javascript: process.memoryUsage().heapUsed, wasm: memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) };
}

/** What is left behind by layers that are created, run and disposed of, as a factor of what was there before. */
async function growth(layers: number, cycleEnds: (backend: OnnxBackend) => Promise<void>): Promise<{ javascript: number; wasm: number }> {
  const backend = await createBackend({ ort });
  const cycles = async (count: number): Promise<void> => {
    for (let k = 0; k < count; k++) {
      const layer = backend.create({}, STATE);
      const x = backend.upload(X);
      await layer.call(x);
      await layer.call(x, { training: true });
      await layer.backward(x);
      await layer.state();
      await layer.dispose();
      await cycleEnds(backend);
    }
  };
  // Code is compiled and caches are filled.
  await cycles(layers / 4);
  const before = await heaps();
  await cycles(layers);
  const after = await heaps();
  expect(memories).toHaveLength(1);
  return { javascript: after.javascript / before.javascript, wasm: after.wasm / before.wasm };
}

test("two thousand layers leave nothing behind", async () => {
  const { javascript, wasm } = await growth(2000, async () => {});
  expect(javascript).toBeLessThan(1.03);
  expect(wasm).toBeLessThan(1.05);
});

test("two hundred layers with sessions of their own leave nothing behind", async () => {
  // A session is some 200 KB.
  const { javascript, wasm } = await growth(200, (backend) => backend.releaseIdleSessions());
  expect(javascript).toBeLessThan(1.03);
  expect(wasm).toBeLessThan(1.05);
});
