import { createBackend, type OnnxBackend } from "@batchnorm/backend-onnx";
import { ort } from "./ort-web.ts";

/** onnxruntime-web's wasm provider. */
export function onnxWasm(): Promise<OnnxBackend> {
  return createBackend({ ort });
}

/** onnxruntime-node's cpu provider. */
export async function onnxCpu(): Promise<OnnxBackend> {
  return createBackend({ ort: await import("onnxruntime-node") });
}
