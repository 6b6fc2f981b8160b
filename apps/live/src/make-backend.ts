import type { AnyBackend } from "@batchnorm/conformance";

/** What makes each backend of `BACKENDS`, in a worker. The imports are inside, so that no backend loads the runtime of another. */
export const MAKE_BACKEND: Readonly<Record<string, () => Promise<AnyBackend>>> = {
  cpu: () => import("@batchnorm/backend-cpu").then(({ createBackend }) => createBackend()),
  "cpu/wasm": () => import("@batchnorm/backend-cpu").then(({ createBackend }) => createBackend({ kernels: "wasm" })),
  "cpu/threads": () =>
    Promise.all([import("@batchnorm/backend-cpu"), import("@batchnorm/adapters/cpu")]).then(([{ createBackend }, { inKernelMemory }]) =>
      inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })),
    ),
  "onnx/wasm": () => import("@batchnorm/adapters/onnx/browser").then(({ onnxWasm }) => onnxWasm()),
  "onnx/webgpu": () => import("@batchnorm/adapters/onnx/browser").then(({ onnxWebgpu }) => onnxWebgpu()),
  "tfjs/wasm": () => import("@batchnorm/adapters/tfjs/browser").then(({ tfjsWasm }) => tfjsWasm()),
  "tfjs/webgl": () => import("@batchnorm/adapters/tfjs/browser").then(({ tfjsWebgl }) => tfjsWebgl()),
  "tfjs/webgpu": () => import("@batchnorm/adapters/tfjs/browser").then(({ tfjsWebgpu }) => tfjsWebgpu()),
};
