import type { Backend, BatchNormConfig, CallOptions, Gradients, Layer, StateInput } from "@batchnorm/spec";
import type { CpuBackend, CpuLayer, CpuTensor } from "../src/index.ts";

/**
 * A backend whose tensors all lie in kernel memory, outputs included, where threads work on them. It is ready when its threads
 * are. For the conformance suite, whose tensors are plain ones otherwise.
 */
export async function inKernelMemory(backend: CpuBackend): Promise<Backend<CpuTensor, "sync", "sync">> {
  await backend.ready;
  return {
    ...backend,
    create: (config: Partial<BatchNormConfig>, state: StateInput) => new LayerInKernelMemory(backend, backend.create(config, state)),
    upload: (tensor) => {
      const uploaded = backend.upload(tensor);
      if (!(uploaded.data instanceof Float32Array) || uploaded.shape.length < 2) return uploaded;
      const allocated = backend.alloc(uploaded.shape);
      allocated.data.set(uploaded.data);
      return allocated;
    },
  };
}
