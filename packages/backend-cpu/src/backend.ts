import {
  BatchNormError,
  channelView,
  defineBackend,
  type FloatTensor,
  type HostTensor,
  hostTensors,
  type MaskTensor,
  rejectUnknownOptions,
} from "@batchnorm/spec";
import type { HalfDType, HalfTensor } from "@batchnorm/spec/half";
import { backward, infer, type Saved, train } from "./arithmetic.ts";
import { type Engine, type EngineOptions, newEngine } from "./kernels/engine.ts";
import { findNonFinite } from "./kernels/non-finite.ts";
import { Arenas } from "./memory/arenas.ts";
import { compileKernels } from "./memory/compile.ts";
import { allocatedElements, DTYPES, dtypeOf, elementsOf, float16Of, tensorView } from "./memory/elements.ts";
import { ALL_KERNELS } from "./memory/module.generated.ts";
import type { Pool } from "./memory/pool.ts";
import { SharedMemory } from "./memory/shared-memory.ts";
import { mostThreads } from "./memory/start-worker.ts";
import { type CpuState, cpuStore } from "./state.ts";
import type { HostBackend } from "./tensors.ts";

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

/** The contract on the CPU: its layers are synchronous. */
export interface CpuBackend extends HostBackend {
  /** What computes large tensors here: WebAssembly with SIMD, or the plain kernels where that is missing, forbidden or not wanted. */
  readonly kernels: "wasm" | "plain";
  /** Settles when the threads have started; gives how many there are, the caller's included. Nothing has to wait for it. */
  readonly ready: Promise<number>;
  /**
   * A tensor of zeros in the kernels' own memory, where x, y, dy and out need no copies: float32 or half precision, of which float16 is
   * a Float16Array where the runtime has one. Its data is an ordinary array that stays where it is: it is never moved nor detached,
   * whatever is allocated later. It belongs to the caller until `release`. Where there is no such memory, or no room in it, the tensor
   * is a plain one; everything else is the same.
   *
   * @throws BatchNormError `unknown-dtype`, `invalid-shape`, `invalid-rank`, `runtime-failure` where the machine has no such memory.
   */
  alloc(shape: readonly number[], dtype?: "float32"): FloatTensor;
  alloc(shape: readonly number[], dtype: HalfDType): HalfTensor;
  /** Frees a tensor from `alloc`: its memory may become another tensor's. Leaves every other tensor to the garbage collector. */
  release(tensor: HostTensor): void;
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
    supports: { dtypes: DTYPES, masks: true, out: true, varianceEstimators: ["population", "sample"], accumulation: "float64" },
    tensors: {
      ...hostTensors,
      findNonFinite: (x, view) => findNonFinite(engine, elementsOf(x), tensorView(view, dtypeOf(x))),
      release: ({ data }) => engine.memory?.release(allocatedElements(data)),
    },
    store: cpuStore,
    infer: (pass) => infer(engine, pass),
    train: (pass) => train(engine, pass),
    backward: (pass) => backward(engine, pass),
  });
  return {
    ...(backend as HostBackend),
    kernels: engine.memory === null ? "plain" : "wasm",
    ready: (pool as Pool | null)?.ready ?? Promise.resolve(1),
    alloc: ((shape: readonly number[], dtype?: string) => allocate(engine, shape, dtype)) as CpuBackend["alloc"],
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

function allocate({ memory }: Engine, shape: readonly number[], dtype: string = "float32"): HostTensor {
  if (!(DTYPES as readonly string[]).includes(dtype)) {
    throw new BatchNormError("unknown-dtype", "There are no tensors of such a dtype", dtype, DTYPES.join(" or "));
  }
  const { outer, channels, inner } = channelView(shape, 0);
  const length = outer * channels * inner;
  try {
    if (dtype === "float32") return { data: memory?.allocate(length, Float32Array) ?? new Float32Array(length), shape: [...shape] };
    const bits = memory?.allocate(length, Uint16Array) ?? new Uint16Array(length);
    return { data: dtype === "float16" ? float16Of(bits) : bits, shape: [...shape], dtype: dtype as HalfDType };
  } catch (cause) {
    throw new BatchNormError("runtime-failure", "There is no room for the tensor", shape, "a tensor that fits into memory", cause);
  }
}

/** `cpu` computes as its users get it; the others are that with one way of computing enforced. */
function nameOf(kernels: string, threads: number): string {
  if (threads > 1) return "cpu/threads";
  return kernels === "auto" ? "cpu" : `cpu/${kernels}`;
}
