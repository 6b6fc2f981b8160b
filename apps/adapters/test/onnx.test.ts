import { onnxCpu, onnxWasm } from "@batchnorm/adapters/onnx/node";
import { conformance } from "@batchnorm/conformance/vitest";

await conformance(onnxWasm);
await conformance(onnxCpu);
