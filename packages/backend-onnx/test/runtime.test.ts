import { expect, test, vi } from "vitest";
import { createBackend } from "../src/index.ts";
import { STATE, X } from "./layers.ts";
import { ort } from "./ort-web.ts";

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
    const failed = expect.objectContaining({
      code: "runtime-failure",
      message: expect.stringContaining("onnxruntime-web to be installed"),
    });
    await expect(createBackend()).rejects.toEqual(failed);
  } finally {
    vi.doUnmock("onnxruntime-web");
  }
});

test("the first provider names the backend and decides what it supports", async () => {
  const names = ["wasm", "cpu", "webgpu"];
  const backends = await Promise.all(names.map((name) => createBackend({ ort, executionProviders: [{ name }, "wasm"] })));
  expect(backends.map(({ name }) => name)).toEqual(["onnx/wasm", "onnx/cpu", "onnx/webgpu"]);
  expect(backends.map(({ supports }) => supports.subnormals)).toEqual(["preserved", "preserved", "flushed"]);
  expect(() => backends[2].create({ nonFinite: "reject" }, STATE)).toThrow(expect.objectContaining({ code: "unsupported" }));
});
