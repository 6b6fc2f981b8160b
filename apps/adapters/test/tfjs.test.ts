import { tfjsCpu, tfjsWasm } from "@batchnorm/adapters/tfjs/node";
import { conformance } from "@batchnorm/conformance/vitest";

await conformance(tfjsCpu);
await conformance(tfjsWasm);
