import { createBackend } from "@batchnorm/backend-cpu";
import { createBackend as createInferenceBackend } from "@batchnorm/backend-cpu/inference";
import { conformance } from "@batchnorm/conformance/vitest";
import { inKernelMemory } from "../src/in-kernel-memory.ts";

await conformance(createBackend);
await conformance(() => createBackend({ kernels: "plain" }));
await conformance(() => createBackend({ kernels: "wasm" }));
await conformance(() => inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })));
await conformance(() => createInferenceBackend({ kernels: "wasm" }));
