import { describe, expect, it } from "vitest";
import { runInNode } from "./run-in-node.ts";

/** Makes both backends that a user may ask for, and computes something large. */
const PROGRAM = `
  const { createBackend } = await import("./src/index.ts");
  const { isBatchNormError } = await import("@batchnorm/spec");
  const backend = createBackend({ threads: 2 });
  const plain = createBackend({ kernels: "plain" });
  let code = null;
  try { createBackend({ kernels: "wasm" }) } catch (error) { code = isBatchNormError(error) && error.code }
  const x = backend.alloc([1000, 64]);
  x.data.forEach((_, k) => { x.data[k] = Math.sin(k) });
  const state = { parameters: { gamma: Array(64).fill(1), beta: Array(64).fill(0) }, statistics: { movingMean: Array(64).fill(0.5), movingVariance: Array(64).fill(2) } };
  const [y, expected] = [backend, plain].map((each) => each.create({}, state).call(x, { training: true }).data);
  const same = y.every((value, k) => Object.is(value, expected[k]));
  console.log(JSON.stringify({ kernels: backend.kernels, threads: await backend.ready, code, same }));
`;

const PLAIN = { kernels: "plain", threads: 1, code: "unsupported", same: true };

describe("without WebAssembly", () => {
  it("the plain kernels take over where the runtime has none", () => {
    expect(runInNode(`delete globalThis.WebAssembly;${PROGRAM}`)).toEqual(PLAIN);
  });

  it("the plain kernels take over where a Content-Security-Policy forbids it", () => {
    // As Chromium does without 'wasm-unsafe-eval': the object is there, the constructor throws.
    const forbid = `WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError("blocked by Content Security Policy") } };`;
    expect(runInNode(forbid + PROGRAM)).toEqual(PLAIN);
  });

  it.skipIf(process.arch !== "x64")("the plain kernels take over where there is no SIMD", () => {
    // V8 has none without these instructions, and then refuses the module as every engine does.
    expect(runInNode(PROGRAM, ["--no-enable-sse4-1"])).toEqual(PLAIN);
  });

  it("is not what happens otherwise", () => {
    expect(runInNode(PROGRAM)).toEqual({ kernels: "wasm", threads: 2, code: null, same: false });
  });
});

it("one thread does the work where there is no SharedArrayBuffer", () => {
  expect(runInNode(`delete globalThis.SharedArrayBuffer;${PROGRAM}`)).toEqual({ kernels: "wasm", threads: 1, code: null, same: false });
});

describe("where workers may not start, one thread does the work", () => {
  const ALONE = { kernels: "wasm", threads: 1, code: null, same: false };

  it("under Node's permission model", () => {
    expect(runInNode(PROGRAM, ["--permission", "--allow-fs-read=*"])).toEqual(ALONE);
  });

  it("in a page whose Trusted Types or Content-Security-Policy make the constructor throw", () => {
    const page = `
      process.getBuiltinModule = undefined;
      Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: 4 } });
      globalThis.Worker = class { constructor() { throw new TypeError("This document requires 'TrustedScriptURL' assignment.") } };
    `;
    expect(runInNode(page + PROGRAM)).toEqual(ALONE);
  });

  it("in a page whose Content-Security-Policy lets them fail later", () => {
    const page = `
      process.getBuiltinModule = undefined;
      Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: 4 } });
      globalThis.Worker = class { constructor() { setTimeout(() => this.onerror()) } postMessage() {} terminate() {} };
    `;
    expect(runInNode(page + PROGRAM)).toEqual(ALONE);
  });

  it("in a runtime without any", () => {
    expect(runInNode(`process.getBuiltinModule = undefined; delete globalThis.Worker; ${PROGRAM}`)).toEqual(ALONE);
  });
});
