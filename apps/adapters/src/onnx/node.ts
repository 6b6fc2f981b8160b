import { createBackend, type OnnxBackend } from "@batchnorm/backend-onnx";

/** onnxruntime-web's wasm provider. */
export async function onnxWasm(): Promise<OnnxBackend> {
  const ort = await import("onnxruntime-web");
  // Worker threads would outlive the run, and one thread is what the bounds and timings are about.
  ort.env.wasm.numThreads = 1;
  return createBackend({ ort });
}

/** onnxruntime-node's cpu provider. */
export async function onnxCpu(): Promise<OnnxBackend> {
  return createBackend({ ort: await import("onnxruntime-node") });
}
