import { createBackend } from "@batchnorm/backend-cpu";
import { inKernelMemory } from "./in-kernel-memory.ts";

/** The backends of this repository in Node, Deno and Bun, by name. None loads the runtime of another. */
export const backends = {
  cpu: () => createBackend(),
  "cpu/plain": () => createBackend({ kernels: "plain" }),
  "cpu/wasm": () => createBackend({ kernels: "wasm" }),
  "cpu/threads": () => inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })),
  "tfjs/cpu": () => import("./tfjs/node.ts").then(({ tfjsCpu }) => tfjsCpu()),
  "tfjs/wasm": () => import("./tfjs/node.ts").then(({ tfjsWasm }) => tfjsWasm()),
  "onnx/wasm": () => import("./onnx/node.ts").then(({ onnxWasm }) => onnxWasm()),
  "onnx/cpu": () => import("./onnx/node.ts").then(({ onnxCpu }) => onnxCpu()),
};
