import { inKernelMemory } from "@batchnorm/adapters/cpu";
import { onnxCpu, onnxWasm } from "@batchnorm/adapters/onnx/node";
import { tfjsCpu, tfjsWasm } from "@batchnorm/adapters/tfjs/node";
import { createBackend } from "@batchnorm/backend-cpu";
import { defineConfig } from "@batchnorm/conformance";

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
