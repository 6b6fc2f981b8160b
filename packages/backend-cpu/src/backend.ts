import {
  type Backend,
  type BatchNormConfig,
  channelView,
  type HostTensor,
  type LayerRuntime,
  resolveLayer,
  type StateInput,
  type Supports,
} from "@batchnorm/spec";
import { type CpuOptions, Engine } from "./engine.ts";
import { CpuLayer } from "./layer.ts";
import { type CpuTensor, cpuTensors, type Float32Tensor, uploadTensor } from "./tensor.ts";

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
  /** What computes large tensors here: WebAssembly with SIMD, or the plain kernels where that is missing, forbidden or not wanted. */
  readonly kernels: "wasm" | "plain";
  /** Settles when the threads have started; gives how many there are, the caller's included. Nothing has to wait for it. */
  readonly ready: Promise<number>;
  create(config: Partial<BatchNormConfig>, state: StateInput): CpuLayer;
  /**
   * A float32 tensor of zeros in the kernels' own memory, where x, dy and out need no copies. Its data is an ordinary Float32Array that stays
   * where it is: it is never moved nor detached, whatever is allocated later. It belongs to the caller until `release`.
   * Where there is no such memory, or no room in it, the tensor is a plain one; everything else is the same.
   *
   * @throws BatchNormError `invalid-shape`, `invalid-rank`.
   */
  alloc(shape: readonly number[]): Float32Tensor;
  /** Frees a tensor from `alloc`: its memory may become another tensor's. Leaves every other tensor to the garbage collector. */
  release(tensor: CpuTensor): void;
  /** Ends the threads. The backend and its layers work on without them. */
  terminate(): void;
}

/**
 * Makes a CPU backend. Tensors from one backend's `alloc` are plain arrays to another.
 *
 * @throws BatchNormError `invalid-argument`, and `unsupported` for `kernels: 'wasm'` where that does not run.
 */
export function createBackend(options: CpuOptions = {}): CpuBackend {
  const engine = new Engine(options);
  return {
    specVersion: 1,
    name: nameOf(options),
    supports: SUPPORTS,
    kernels: engine.memory === null ? "plain" : "wasm",
    ready: engine.pool?.ready ?? Promise.resolve(1),
    create: (config, state) => new CpuLayer(RUNTIME, resolveLayer(SUPPORTS, config, state), engine),
    alloc(shape) {
      const { outer, channels, inner } = channelView(shape, 0);
      const length = outer * channels * inner;
      return { data: engine.memory?.allocate(length) ?? new Float32Array(length), shape: [...shape] };
    },
    upload: uploadTensor,
    download: ({ data, shape }: CpuTensor): HostTensor => ({ data: data.slice(), shape: [...shape] }),
    release({ data }) {
      if (data instanceof Float32Array) engine.memory?.release(data);
    },
    terminate: () => engine.pool?.terminate(),
  };
}

/** `cpu` computes as its users get it; the others are that with one way of computing enforced. */
function nameOf({ kernels = "auto", threads = 1 }: CpuOptions): string {
  if (threads > 1) return "cpu/threads";
  return kernels === "auto" ? "cpu" : `cpu/${kernels}`;
}
