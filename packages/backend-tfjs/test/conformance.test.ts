import { conformance } from "@batchnorm/conformance/vitest";
import { tfjsCpu, tfjsWasm } from "./node-backends.ts";

await conformance(tfjsCpu);
await conformance(tfjsWasm);
