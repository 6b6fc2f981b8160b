import { createBackend } from "@batchnorm/backend-cpu";
import { defineConfig } from "@batchnorm/conformance";
import { onnxCpu, onnxWasm } from "./packages/backend-onnx/test/node-backends.ts";
import { tfjsCpu, tfjsWasm } from "./packages/backend-tfjs/test/node-backends.ts";

/** The backends of this repository. A project of yours has such a file, too. */
export default defineConfig({
  backends: [() => createBackend(), tfjsCpu, tfjsWasm, onnxWasm, onnxCpu],
});
