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
  rejectUnknownOptions,
  type StateInput,
} from "@batchnorm/spec";
import { backward, infer, type Saved, train } from "./arithmetic.ts";
import { type Engine, type EngineOptions, newEngine } from "./kernels/engine.ts";
import { findNonFinite } from "./kernels/non-finite.ts";
import { Arenas } from "./memory/arenas.ts";
import { compileKernels } from "./memory/compile.ts";
import { ALL_KERNELS } from "./memory/module.generated.ts";
import type { Pool } from "./memory/pool.ts";
import { SharedMemory } from "./memory/shared-memory.ts";
import { mostThreads } from "./memory/start-worker.ts";
import { type CpuState, cpuStore } from "./state.ts";

/** How a backend computes. */
export interface CpuOptions extends EngineOptions {
  /**
   * How many threads work on a large tensor, the caller's among them; default 1, and never more than the machine runs at once.
   * More than one needs a SharedArrayBuffer (in a page: cross-origin isolation), and tensors from `alloc`. The results are the
   * same bits on any number.
   */
  readonly threads?: number | undefined;
}

/** From how many elements on two threads are quicker than one. */
const SMALLEST_THREADED = 2 ** 19;

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
  const given: unknown = options;
  rejectUnknownOptions("The options of the CPU backend", given, ["kernels", "threads"]);
  const { kernels = "auto", threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new BatchNormError("invalid-argument", "The number of threads is wrong", threads, "a positive integer");
  }
  let pool: Pool | null = null;
  const engine = newEngine(options, () => {
    const shared = shareMemory(Math.min(threads, mostThreads()), kernels === "wasm" ? 0 : SMALLEST_THREADED);
    pool = shared?.pool ?? null;
    const module = compileKernels(ALL_KERNELS, "plain");
    return shared ?? (module && new Arenas(module));
  });
  const backend = defineBackend<FloatTensor, CpuState, Saved, "sync", MaskTensor>({
    name: nameOf(kernels, threads),
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
    ready: (pool as Pool | null)?.ready ?? Promise.resolve(1),
    download: backend.download as (tensor: HostTensor) => FloatTensor,
    alloc: (shape) => allocate(engine, shape),
    terminate: () => pool?.terminate(),
  };
}

/** A memory that threads share; null where one thread is enough, or no memory can be shared. */
function shareMemory(threads: number, smallest: number): SharedMemory | null {
  // A page without cross-origin isolation can make a shared memory, but not share it.
  if (threads === 1 || typeof SharedArrayBuffer === "undefined") return null;
  const plain = compileKernels(ALL_KERNELS, "plain");
  const shared = compileKernels(ALL_KERNELS, "shared");
  return plain && shared && new SharedMemory({ plain, shared }, threads, smallest);
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
function nameOf(kernels: string, threads: number): string {
  if (threads > 1) return "cpu/threads";
  return kernels === "auto" ? "cpu" : `cpu/${kernels}`;
}
