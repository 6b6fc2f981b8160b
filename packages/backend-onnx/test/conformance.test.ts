import { conformance } from "@batchnorm/conformance/vitest";
import { onnxCpu, onnxWasm } from "./node-backends.ts";

await conformance(onnxWasm);
await conformance(onnxCpu);
