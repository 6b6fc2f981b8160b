import type { Peer } from "../peer.ts";
import { ONNX_CLAIMS, onnxOperator } from "./onnx-operator.ts";

const TITLE = "The operator BatchNormalization of ONNX";

/** The operator on onnxruntime-web's wasm provider, in Node. */
export const onnxWasm: Peer = {
  name: "onnx-operator/wasm",
  title: TITLE,
  packages: ["onnxruntime-web"],
  runtime: "Node",
  claims: ONNX_CLAIMS,
  open: async () => {
    const ort = await import("onnxruntime-web");
    // Worker threads would outlive the run.
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    return onnxOperator({ name: "onnx-operator/wasm", ort, provider: "wasm", training: true });
  },
};

/** The operator on onnxruntime-node's cpu provider. */
export const onnxNode: Peer = {
  name: "onnx-operator/node",
  title: TITLE,
  packages: ["onnxruntime-node"],
  runtime: "Node",
  claims: ONNX_CLAIMS,
  open: async () => onnxOperator({ name: "onnx-operator/node", ort: await import("onnxruntime-node"), provider: "cpu", training: true }),
};
