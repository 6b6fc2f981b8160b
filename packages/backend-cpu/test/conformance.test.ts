import { conformance } from "@batchnorm/conformance/vitest";
import { createBackend } from "../src/index.ts";
import { inKernelMemory } from "./in-kernel-memory.ts";

await conformance(createBackend);
await conformance(() => createBackend({ kernels: "plain" }));
await conformance(() => createBackend({ kernels: "wasm" }));
await conformance(() => inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })));
