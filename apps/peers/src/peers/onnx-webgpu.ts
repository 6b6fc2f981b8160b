import type { Peer } from "../peer.ts";
import { ONNX_CLAIMS, onnxOperator } from "./onnx-operator.ts";

/** The operator on onnxruntime-web's WebGPU provider, in Chromium. This module is loaded in the page. */
export const onnxWebgpu: Peer = {
  name: "onnx-operator/webgpu",
  title: "The operator BatchNormalization of ONNX",
  packages: ["onnxruntime-web"],
  runtime: "Chromium",
  claims: [...ONNX_CLAIMS, "On WebGPU it says itself that `training_mode` is not supported yet: inference alone is judged."],
  open: async () => {
    const ort = await import("onnxruntime-web/webgpu");
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    // Without training, whose refusal is the runtime's own. Subnormal numbers may be flushed by WGSL.
    const backend = onnxOperator({ name: "onnx-operator/webgpu", ort, provider: "webgpu", training: false });
    return { ...backend, supports: { ...backend.supports, subnormals: "flushed" } };
  },
};
