import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createBackend as createCustomBackend } from "../src/custom.ts";
import { createBackend } from "../src/index.ts";
import { STATE, X } from "./layers.ts";
import { ort } from "./ort-web.ts";

const refusal = (code: string, ...parts: string[]): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(new RegExp(parts.join(".*"), "s")) });

test("without options, onnxruntime-web's wasm is loaded", async () => {
  const backend = await createBackend();
  expect(backend.name).toBe("onnx/wasm");
  const y = await backend.create({}, STATE).call(backend.upload(X));
  expect(y).toBeInstanceOf(ort.Tensor);
});

test("a runtime that is not there is a runtime-failure that says what to install", async () => {
  vi.doMock("onnxruntime-web", () => {
    throw new Error("Cannot find package 'onnxruntime-web'");
  });
  try {
    await expect(createBackend()).rejects.toEqual(refusal("runtime-failure", "onnxruntime-web to be installed"));
  } finally {
    vi.doUnmock("onnxruntime-web");
  }
});

describe("the first provider that works names the backend", () => {
  const navigator = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  afterEach(() => {
    if (navigator) Object.defineProperty(globalThis, "navigator", navigator);
  });
  /** As a browser that has WebGPU, on a machine that has no GPU. */
  function withoutAdapter(): void {
    const value = { gpu: { requestAdapter: async () => null }, hardwareConcurrency: 1 };
    Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  }

  test.each([["wasm"], ["cpu"], [{ name: "cpu" }]])("%j of onnxruntime-web is wasm", async (provider) => {
    expect((await createBackend({ ort, executionProviders: [provider] })).name).toBe("onnx/wasm");
  });

  test("onnxruntime-node's default is cpu", async () => {
    expect((await createBackend({ ort: await import("onnxruntime-node") })).name).toBe("onnx/cpu");
  });

  test("webgpu without an adapter is refused, in the runtime's own words", async () => {
    withoutAdapter();
    const webgpu = { ort: await import("onnxruntime-web/webgpu"), executionProviders: ["webgpu"] };
    const failed = refusal("runtime-failure", "Failed to get GPU adapter", '\\["webgpu"\\], expected an execution provider that works');
    await expect(createBackend(webgpu)).rejects.toEqual(failed);
    // Also the second time, when the runtime remembers.
    await expect(createBackend(webgpu)).rejects.toEqual(failed);
  });

  test("where webgpu does not work, wasm runs and is named", async () => {
    withoutAdapter();
    const backend = await createBackend({ executionProviders: [{ name: "webgpu" }, "wasm"] });
    expect(backend).toMatchObject({ name: "onnx/wasm", supports: { subnormals: "preserved", nonFinite: ["propagate", "reject"] } });
    const y = await backend.create({ nonFinite: "reject" }, STATE).call(backend.upload(X));
    expect(y.dims).toEqual(X.shape);
  });

  test("where none works, each has its word", async () => {
    const failed = refusal("runtime-failure", "\\[webgpu\\] backend not found", "\\[webnn\\] backend not found", '\\["webgpu", "webnn"\\]');
    await expect(createBackend({ ort, executionProviders: ["webgpu", "webnn"] })).rejects.toEqual(failed);
  });
});

describe("wrong options are refused", () => {
  test.each<[unknown, string]>([
    [null, "must be a plain object"],
    [Promise.resolve({}), "must be a plain object"],
    [{ executionProvider: ["wasm"] }, 'cannot have this key: received "executionProvider"'],
    [{ executionProviders: [] }, "executionProviders is not a list"],
    [{ executionProviders: "wasm" }, "executionProviders is not a list"],
    [{ executionProviders: [""] }, "executionProviders is not a list"],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tried.
    [{ executionProviders: [, "wasm"] }, "executionProviders is not a list"],
    [{ executionProviders: [{ device: "gpu" }] }, "executionProviders is not a list"],
    [{ ort: null }, "ort is not an ONNX Runtime"],
    [{ ort: { Tensor: ort.Tensor } }, "ort is not an ONNX Runtime"],
    [{ ort: import("onnxruntime-web") }, "ort is not an ONNX Runtime"],
  ])("%j", async (options, message) => {
    await expect(createBackend(options as never)).rejects.toEqual(refusal("invalid-argument", message));
    await expect(createCustomBackend(options as never)).rejects.toEqual(refusal("invalid-argument", ""));
  });

  test("no runtime, where none is loaded", async () => {
    await expect(createCustomBackend({} as never)).rejects.toEqual(refusal("invalid-argument", "There is no ort"));
    await expect(createCustomBackend(undefined as never)).rejects.toEqual(refusal("invalid-argument", "must be a plain object"));
  });

  test("undefined is left out", async () => {
    expect((await createBackend({ ort: undefined, executionProviders: undefined })).name).toBe("onnx/wasm");
  });
});

test("null and other things that are no tensors are refused by code", async () => {
  const backend = await createCustomBackend({ ort });
  const refused = refusal("invalid-argument", "");
  for (const wrong of [null, undefined, 1, {}, X, Promise.resolve(backend.upload(X))]) {
    expect(() => backend.release(wrong as never)).toThrow(refused as Error);
    await expect(backend.download(wrong as never)).rejects.toEqual(refused);
    await expect(backend.create({}, STATE).call(wrong as never)).rejects.toEqual(refused);
    if (wrong !== X) expect(() => backend.upload(wrong as never)).toThrow(refused as Error);
  }
});

test("a disposed tensor is refused, and may be released again", async () => {
  const backend = await createCustomBackend({ ort });
  const [layer, disposed, x] = [backend.create({}, STATE), backend.upload(X), backend.upload(X)];
  const mask = backend.upload({ data: Uint8Array.of(1, 1, 1), shape: [3] });
  for (const tensor of [disposed, disposed, mask]) backend.release(tensor);
  const refused = refusal("invalid-argument", "was disposed");
  await expect(layer.call(disposed)).rejects.toEqual(refused);
  await expect(layer.call(x, { training: true, mask })).rejects.toEqual(refused);
  await expect(backend.download(disposed)).rejects.toEqual(refused);
  await layer.call(x, { training: true });
  await expect(layer.backward(disposed)).rejects.toEqual(refused);
  // x is what backward reads: without it there is an error, and no gradient of something else.
  backend.release(x);
  await expect(layer.backward(backend.upload(X))).rejects.toEqual(refusal("runtime-failure", "disposed"));
});

test("a tensor that lies elsewhere is refused", async () => {
  const backend = await createCustomBackend({ ort });
  const tensor = ort.Tensor.fromGpuBuffer({ size: 32 } as never, { dataType: "float32", dims: [3, 2] });
  for (const nonFinite of ["propagate", "reject"] as const) {
    const layer = backend.create({ nonFinite }, STATE);
    await expect(layer.call(tensor)).rejects.toEqual(refusal("invalid-argument", "gpu-buffer"));
  }
});

test("arrays of another realm are arrays", async () => {
  const foreign = <Value>(code: string): Value => runInNewContext(code) as Value;
  const backend = await createCustomBackend({ ort });
  const state = {
    parameters: { gamma: foreign<Float32Array>("Float32Array.of(1.5, -0.5)"), beta: foreign<number[]>("[0.25, 2]") },
    statistics: foreign<{ movingMean: number[]; movingVariance: number[] }>("({ movingMean: [0.75, -1.25], movingVariance: [4, 0.5] })"),
  };
  const x = backend.upload({ data: foreign<Float32Array>("Float32Array.of(1, -2, 3, 0.5, -4, 8)"), shape: foreign<number[]>("[3, 2]") });
  const mask = backend.upload({ data: foreign<Uint8Array>("Uint8Array.of(1, 0, 1)"), shape: [3] });
  expect([x.type, mask.type]).toEqual(["float32", "bool"]);
  const [layer, twin] = [backend.create({}, state), backend.create({}, STATE)];
  const ownMask = backend.upload({ data: Uint8Array.of(1, 0, 1), shape: [3] });
  const expected = await twin.call(backend.upload(X), { training: true, mask: ownMask });
  expect((await layer.call(x, { training: true, mask })).data).toEqual(expected.data);
  // A tensor of another realm's runtime: its class and its arrays are others.
  const data = foreign<Float32Array>("Float32Array.of(1, -2, 3, 0.5, -4, 8)");
  const tensor = { type: "float32", dims: [3, 2], size: 6, location: "cpu", data } as never;
  expect((await layer.call(tensor)).data).toEqual((await twin.call(backend.upload(X))).data);
});
