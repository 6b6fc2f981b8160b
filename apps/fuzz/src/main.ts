import { inKernelMemory } from "@batchnorm/adapters/cpu";
import { onnxCpu, onnxWasm } from "@batchnorm/adapters/onnx/node";
import { tfjsCpu, tfjsWasm } from "@batchnorm/adapters/tfjs/node";
import { createBackend } from "@batchnorm/backend-cpu";
import type { AnyBackend } from "@batchnorm/conformance";
import { Command } from "commander";
import { fuzz } from "./fuzz.ts";

const BACKENDS: readonly (() => AnyBackend | Promise<AnyBackend>)[] = [
  () => createBackend(),
  () => createBackend({ kernels: "wasm" }),
  () => inKernelMemory(createBackend({ kernels: "wasm", threads: 2 })),
  tfjsCpu,
  tfjsWasm,
  onnxWasm,
  onnxCpu,
];

const { seed, runs, minutes, backend } = new Command("fuzz")
  .description("The same random sequences of calls on every backend, held against the plain kernels of backend-cpu.")
  .option("--seed <number>", "the first sequence", Number, Date.now() & 0x7fffffff)
  .option("--runs <count>", "sequences for each backend", Number, 1000)
  .option("--minutes <count>", "at most so long for each backend", Number)
  .option("--backend <name>", "one backend, such as onnx/wasm")
  .parse()
  .opts<{ seed: number; runs: number; minutes?: number; backend?: string }>();

console.log(`seed ${seed}`);
const reference = createBackend({ kernels: "plain" });
for (const make of BACKENDS) {
  const subject = await make();
  if (backend !== undefined && subject.name !== backend) continue;
  const limit = minutes === undefined ? {} : { milliseconds: minutes * 60_000 };
  const { runs: done, finding } = await fuzz(reference, subject, { seed, runs, ...limit });
  console.log(finding === null ? `✓ ${subject.name}  ${done} sequences` : `✗ ${subject.name}  ${finding.difference}`);
  if (finding === null) continue;
  console.log(JSON.stringify(finding.sequence, null, 1));
  process.exitCode = 1;
}
// Threads and sessions would keep the process.
process.exit();
