import {
  type Backend,
  type BatchNormConfig,
  BatchNormError,
  channelView,
  defineBackend,
  type FloatTensor,
  type HostTensor,
  hostTensors,
  type Layer,
  type MaskTensor,
  type StateInput,
} from "@batchnorm/spec";
import { backward, infer, type Saved, train } from "./arithmetic.ts";
import { type Engine, type EngineOptions, newEngine } from "./kernels/engine.ts";
import { findNonFinite } from "./kernels/non-finite.ts";
import { type CpuState, cpuStore } from "./state.ts";

/** How a backend computes. */
export type CpuOptions = EngineOptions;

/** A layer of this backend: it is synchronous, x, y and gradients are float32 tensors, a mask is one of bytes. */
export type CpuLayer = Layer<FloatTensor, "sync", MaskTensor>;

/** The contract on the CPU: its layers are synchronous. */
export interface CpuBackend extends Backend<FloatTensor, "sync", MaskTensor> {
  /** What computes large tensors here: WebAssembly with SIMD, or the plain kernels where that is missing, forbidden or not wanted. */
  readonly kernels: "wasm" | "plain";
  /** Settles when the threads have started; gives how many there are, the caller's included. Nothing has to wait for it. */
  readonly ready: Promise<number>;
  create(config?: Partial<BatchNormConfig>, state?: StateInput | number): CpuLayer;
  download(tensor: FloatTensor): FloatTensor;
  /**
   * A float32 tensor of zeros in the kernels' own memory, where x, dy and out need no copies. Its data is an ordinary Float32Array
   * that stays where it is: it is never moved nor detached, whatever is allocated later. It belongs to the caller until `release`.
   * Where there is no such memory, or no room in it, the tensor is a plain one; everything else is the same.
   *
   * @throws BatchNormError `invalid-shape`, `invalid-rank`, `runtime-failure` where the machine has no such memory.
   */
  alloc(shape: readonly number[]): FloatTensor;
  /** Frees a tensor from `alloc`: its memory may become another tensor's. Leaves every other tensor to the garbage collector. */
  release(tensor: FloatTensor | MaskTensor): void;
  /** Ends the threads. The backend and its layers work on without them. */
  terminate(): void;
}

/**
 * Makes a CPU backend. Tensors from one backend's `alloc` are plain arrays to another.
 *
 * @throws BatchNormError `invalid-argument`, and `unsupported` for `kernels: 'wasm'` where that does not run.
 */
export function createBackend(options: CpuOptions = {}): CpuBackend {
  const engine = newEngine(options);
  const backend = defineBackend<FloatTensor, CpuState, Saved, "sync", MaskTensor>({
    name: nameOf(options),
    timing: "sync",
    supports: { masks: true, out: true, varianceEstimators: ["population", "sample"], accumulation: "float64" },
    tensors: {
      ...hostTensors,
      findNonFinite: ({ data }, view) => findNonFinite(engine, data, view),
      release({ data }) {
        if (data instanceof Float32Array) engine.memory?.release(data);
      },
    },
    store: cpuStore,
    infer: (pass) => infer(engine, pass),
    train: (pass) => train(engine, pass),
    backward: (pass) => backward(engine, pass),
  });
  return {
    ...backend,
    kernels: engine.memory === null ? "plain" : "wasm",
    ready: engine.pool?.ready ?? Promise.resolve(1),
    download: backend.download as (tensor: HostTensor) => FloatTensor,
    alloc: (shape) => allocate(engine, shape),
    terminate: () => engine.pool?.terminate(),
  };
}

function allocate({ memory }: Engine, shape: readonly number[]): FloatTensor {
  const { outer, channels, inner } = channelView(shape, 0);
  const length = outer * channels * inner;
  try {
    return { data: memory?.allocate(length) ?? new Float32Array(length), shape: [...shape] };
  } catch (cause) {
    throw new BatchNormError("runtime-failure", "There is no room for the tensor", shape, "a tensor that fits into memory", cause);
  }
}

/** `cpu` computes as its users get it; the others are that with one way of computing enforced. */
function nameOf({ kernels = "auto", threads = 1 }: CpuOptions): string {
  if (threads > 1) return "cpu/threads";
  return kernels === "auto" ? "cpu" : `cpu/${kernels}`;
}
