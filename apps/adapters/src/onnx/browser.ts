import { createBackend, type OnnxBackend } from "@batchnorm/backend-onnx";

/** onnxruntime-web's wasm provider, with as many threads as it finds right. */
export async function onnxWasm(): Promise<OnnxBackend> {
  const [{ env }, mjs, wasm] = await Promise.all([
    import("onnxruntime-web"),
    import("onnxruntime-web/ort-wasm-simd-threaded.jsep.mjs?url"),
    import("onnxruntime-web/ort-wasm-simd-threaded.jsep.wasm?url"),
  ]);
  // Its threads load the chunk that Vite has put the runtime into, and that one imports the page's own code, which does not run in a
  // worker: without these addresses nothing ever answers (onnxruntime-web 1.30, Vite 8).
  env.wasm.wasmPaths = { mjs: mjs.default, wasm: wasm.default };
  return createBackend();
}

/** onnxruntime-web's WebGPU provider, with tensors on the host. */
export async function onnxWebgpu(): Promise<OnnxBackend> {
  await withoutThreads();
  return createBackend({ executionProviders: ["webgpu"] });
}

/** The same with tensors on the GPU. */
export async function onnxWebgpuOnGpu(): Promise<OnnxBackend> {
  await withoutThreads();
  const { createBackendOnGpu } = await import("./on-gpu.ts");
  return createBackendOnGpu();
}

/** The older WebGPU provider, that of onnxruntime-web's main entry, with tensors on the GPU. */
export async function onnxJsepOnGpu(): Promise<OnnxBackend> {
  const [ort, { createBackendOnGpu }] = await Promise.all([import("onnxruntime-web"), import("./on-gpu.ts")]);
  ort.env.wasm.numThreads = 1;
  return createBackendOnGpu(ort);
}

/** What runs on a GPU needs none. */
async function withoutThreads(): Promise<void> {
  const { env } = await import("onnxruntime-web/webgpu");
  env.wasm.numThreads = 1;
}
