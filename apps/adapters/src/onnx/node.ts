import { createBackend, type OnnxBackend } from "@batchnorm/backend-onnx";
import * as ort from "onnxruntime-web";

// Worker threads would outlive the run, and one thread is what the bounds and timings are about.
ort.env.wasm.numThreads = 1;

/** onnxruntime-web's wasm provider. */
export function onnxWasm(): Promise<OnnxBackend> {
  return createBackend({ ort });
}

/** onnxruntime-node's cpu provider. */
export async function onnxCpu(): Promise<OnnxBackend> {
  return createBackend({ ort: await import("onnxruntime-node") });
}
