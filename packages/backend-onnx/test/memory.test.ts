import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createBackend } from "../src/index.ts";
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

test("a thousand layers that are created, run and disposed leave nothing behind", async () => {
  const backend = await createBackend({ ort });
  const cycle = async (): Promise<void> => {
    const layer = backend.create({}, STATE);
    const x = backend.upload(X);
    await layer.call(x);
    await layer.call(x, { training: true });
    await layer.backward(x);
    await layer.state();
    await layer.dispose();
    // With the sessions: those that are kept would hide a leak.
    await backend.releaseIdleSessions();
  };
  // Code is compiled and caches are filled.
  for (let k = 0; k < 100; k++) await cycle();
  const before = await heaps();
  for (let k = 0; k < 1000; k++) await cycle();
  const after = await heaps();
  expect(memories).toHaveLength(1);
  expect(after.javascript / before.javascript).toBeLessThan(1.05);
  expect(after.wasm / before.wasm).toBeLessThan(1.05);
});
