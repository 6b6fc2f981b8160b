import { createBackend, type OnnxBackend } from "@batchnorm/backend-onnx";

/** onnxruntime-web's wasm provider, with as many threads as it finds right. */
export function onnxWasm(): Promise<OnnxBackend> {
  return createBackend();
}

/** onnxruntime-web's WebGPU provider, with tensors on the host. */
export function onnxWebgpu(): Promise<OnnxBackend> {
  return createBackend({ executionProviders: ["webgpu"] });
}

/** The same with tensors on the GPU. */
export async function onnxWebgpuOnGpu(): Promise<OnnxBackend> {
  const { createBackendOnGpu } = await import("./on-gpu.ts");
  return createBackendOnGpu();
}
