import { conformance } from "@batchnorm/conformance/vitest";
import { onnxCpu, onnxWasm } from "../src/onnx/node.ts";

await conformance(onnxWasm);
await conformance(onnxCpu);
