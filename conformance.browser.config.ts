import { defineConfig } from "@batchnorm/conformance";

/**
 * The backends of this repository as they run in Chromium: `pnpm conformance:browser`.
 *
 * This module is loaded in the page, once for every backend, in a browser of its own. To add a backend, add a function that imports
 * it and makes it; the import is inside of the function so that no backend loads the runtime of another. Its package has to be a
 * devDependency of the workspace's root, and its runtime one of its own package.
 *
 * - `onnxruntime-web` finds its .wasm by itself, since the page is built with vite. With more than one thread it has to be told its
 *   .mjs, too: see the adapter.
 * - TensorFlow.js has the shaders of `webgl` and `webgpu` in its code. `wasm` asks for the files of its package: import them as
 *   `@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url` (likewise the plain and the threaded one) and give the
 *   three addresses to `setWasmPaths`.
 *
 * Anything that the console shows as an error, or that nobody catches, fails the run. WebGPU and WebGL are in software.
 */
export default defineConfig({
  backends: [
    () => import("@batchnorm/backend-cpu").then(({ createBackend }) => createBackend()),
    () => import("@batchnorm/backend-cpu").then(({ createBackend }) => createBackend({ kernels: "wasm" })),
    () =>
      Promise.all([import("@batchnorm/backend-cpu"), import("@batchnorm/adapters/cpu")]).then(([{ createBackend }, { inKernelMemory }]) =>
        inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })),
      ),
    () => import("@batchnorm/adapters/tfjs/browser").then(({ tfjsWebgl }) => tfjsWebgl()),
    () => import("@batchnorm/adapters/tfjs/browser").then(({ tfjsWebgpu }) => tfjsWebgpu()),
    () => import("@batchnorm/adapters/tfjs/browser").then(({ tfjsWasm }) => tfjsWasm()),
    () => import("@batchnorm/adapters/onnx/browser").then(({ onnxWasm }) => onnxWasm()),
    () => import("@batchnorm/adapters/onnx/browser").then(({ onnxWebgpu }) => onnxWebgpu()),
    () => import("@batchnorm/adapters/onnx/browser").then(({ onnxWebgpuOnGpu }) => onnxWebgpuOnGpu()),
  ],
});
