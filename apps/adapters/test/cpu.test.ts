import { inKernelMemory } from "@batchnorm/adapters/cpu";
import { conformance } from "@batchnorm/conformance/vitest";
import { createBackend } from "../src/index.ts";
import { createBackend as createInferenceBackend } from "../src/inference.ts";

await conformance(createBackend);
await conformance(() => createBackend({ kernels: "plain" }));
await conformance(() => createBackend({ kernels: "wasm" }));
await conformance(() => inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })));
await conformance(() => createInferenceBackend({ kernels: "wasm" }));
