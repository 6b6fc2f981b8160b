import { defineBackend, type FloatTensor, hostTensors, type MaskTensor, rejectUnknownOptions } from "@batchnorm/spec";
import type { InferenceBackend } from "./inference.ts";
import { DTYPES, elementsOf, newTensor, tensorView } from "./memory/elements.ts";
import { normalizePlain } from "./plain/normalize.ts";
import { type CpuState, cpuStore, movingNormalizer } from "./state.ts";
import type { HostBackend } from "./tensors.ts";

export * from "@batchnorm/spec/users";
export type { InferenceBackend };

/**
 * Makes the smallest CPU backend: inference by the plain kernels, without WebAssembly, for pages where bytes count more than speed, or
 * whose Content-Security-Policy forbids WebAssembly. Its results are the bits of `createBackend({ kernels: 'plain' })`.
 *
 * @throws BatchNormError `invalid-argument` for any option: there is none.
 */
export function createBackend(options: object = {}): InferenceBackend {
  rejectUnknownOptions("The options of the CPU backend for plain inference", options, []);
  const backend = defineBackend<FloatTensor, CpuState, undefined, "sync", MaskTensor>({
    name: "cpu/plain-inference",
    timing: "sync",
    supports: { dtypes: DTYPES, out: true, accumulation: "float64" },
    tensors: hostTensors,
    store: cpuStore,
    infer({ x, dtype, out, shape, view, state, config }) {
      const y = out ?? newTensor(dtype, shape, x);
      const { mean, slope, offset } = movingNormalizer(state, config.epsilon);
      normalizePlain(elementsOf(x), elementsOf(y), tensorView(view, dtype), mean, slope, offset);
      return { y };
    },
  });
  return backend as HostBackend;
}
