import { createBackend } from "@batchnorm/backend-cpu";
import { defineConfig } from "@batchnorm/conformance";
import { inKernelMemory } from "./packages/backend-cpu/test/in-kernel-memory.ts";
import { onnxCpu, onnxWasm } from "./packages/backend-onnx/test/node-backends.ts";
import { tfjsCpu, tfjsWasm } from "./packages/backend-tfjs/test/node-backends.ts";

/** The backends of this repository. A project of yours has such a file, too. */
export default defineConfig({
  backends: [
    () => createBackend(),
    () => createBackend({ kernels: "plain" }),
    () => createBackend({ kernels: "wasm" }),
    () => inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })),
    tfjsCpu,
    tfjsWasm,
    onnxWasm,
    onnxCpu,
  ],
});
