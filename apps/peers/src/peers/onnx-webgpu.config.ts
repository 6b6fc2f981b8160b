import { defineConfig } from "@batchnorm/conformance";
import { onnxWebgpu } from "./onnx-webgpu.ts";

export default defineConfig({ backends: [() => onnxWebgpu.open()] });
