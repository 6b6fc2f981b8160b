import { conformance } from "@batchnorm/conformance/vitest";
import { tfjsCpu, tfjsWasm } from "../src/tfjs/node.ts";

await conformance(tfjsCpu);
await conformance(tfjsWasm);
