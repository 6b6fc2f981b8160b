import { defineBackend, type FloatTensor, hostTensors, type MaskTensor, rejectUnknownOptions } from "@batchnorm/spec";
import { infer } from "./arithmetic.ts";
import { type EngineOptions, newEngine } from "./kernels/engine.ts";
import { findNonFinite } from "./kernels/non-finite.ts";
import { compileKernels } from "./memory/compile.ts";
import { DTYPES, dtypeOf, elementsOf, tensorView } from "./memory/elements.ts";
import { INFERENCE_KERNELS } from "./memory/inference-module.generated.ts";
import { memoryWithoutTensors } from "./memory/without-tensors.ts";
import { type CpuState, cpuStore } from "./state.ts";
import type { HostBackend } from "./tensors.ts";

export * from "@batchnorm/spec/users";
export type { EngineOptions as InferenceOptions };

/** The contract on the CPU without training: `training: true` and `backward` are refused with `unsupported`. */
export type InferenceBackend = HostBackend;

/**
 * Makes a CPU backend that normalizes with the moving statistics and does nothing else: for pages that load a trained model, since it is
 * half as large as the whole. Its results are the same bits.
 *
 * @throws BatchNormError `invalid-argument`, and `unsupported` for `kernels: 'wasm'` where that does not run.
 */
export function createBackend(options: EngineOptions = {}): InferenceBackend {
  rejectUnknownOptions("The options of the CPU backend", options, ["kernels"]);
  const engine = newEngine(options, () => {
    const module = compileKernels(INFERENCE_KERNELS, "plain");
    return module && memoryWithoutTensors(module);
  });
  const backend = defineBackend<FloatTensor, CpuState, undefined, "sync", MaskTensor>({
    name: "cpu/inference",
    timing: "sync",
    supports: { dtypes: DTYPES, out: true, accumulation: "float64" },
    tensors: { ...hostTensors, findNonFinite: (x, view) => findNonFinite(engine, elementsOf(x), tensorView(view, dtypeOf(x))) },
    store: cpuStore,
    infer: (pass) => ({ y: infer(engine, pass).y }),
  });
  return backend as HostBackend;
}
