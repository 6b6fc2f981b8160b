import { type Backend, type HostTensor, type LayerRuntime, resolveLayer, type StateInput, type BatchNormConfig, type Supports } from "@batchnorm/spec";
import { CpuLayer } from "./layer.ts";
import { type CpuTensor, cpuTensors, uploadTensor } from "./tensor.ts";

const SUPPORTS: Supports = {
  maxRank: null,
  dtypes: ["float32"],
  training: true,
  gradients: true,
  masks: true,
  out: true,
  varianceEstimators: ["population", "sample"],
  nonFinite: ["propagate", "reject"],
  accumulation: "float64",
  subnormals: "preserved",
};

const RUNTIME: LayerRuntime<CpuTensor, "sync"> = { timing: "sync", supports: SUPPORTS, ...cpuTensors };

/** The contract on the CPU: its layers are synchronous. */
export interface CpuBackend extends Backend<CpuTensor, "sync", "sync"> {
  create(config: Partial<BatchNormConfig>, state: StateInput): CpuLayer;
}

/** Makes the CPU backend. It holds nothing: two of them are the same. */
export function createBackend(): CpuBackend {
  return {
    specVersion: 1,
    name: "cpu",
    supports: SUPPORTS,
    create: (config, state) => new CpuLayer(RUNTIME, resolveLayer(SUPPORTS, config, state)),
    upload: uploadTensor,
    download: ({ data, shape }: CpuTensor): HostTensor => ({ data: data.slice(), shape: [...shape] }),
    release: () => {},
  };
}
