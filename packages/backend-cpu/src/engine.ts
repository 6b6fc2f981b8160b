import { BatchNormError } from "@batchnorm/spec";
import type { Kernels } from "./kernels/kernels.ts";
import { PLAIN } from "./kernels/plain.ts";
import { Arenas } from "./simd/arenas.ts";
import { compileKernels } from "./simd/compile.ts";
import { SharedMemory } from "./simd/shared-memory.ts";
import { SimdKernels } from "./simd/simd-kernels.ts";
import type { TensorMemory } from "./simd/tensor-memory.ts";
import type { Pool } from "./threads/pool.ts";

/** How a backend computes. */
export interface CpuOptions {
  /**
   * `auto` (the default): SIMD WebAssembly where it runs and pays, plain TypeScript for small tensors and everywhere else. `wasm`: for every
   * tensor, and an error where it does not run. `plain`: for none.
   */
  readonly kernels?: "auto" | "plain" | "wasm";
  /**
   * How many threads work on a large tensor, the caller's among them; default 1. More need a SharedArrayBuffer (in a page: cross-origin
   * isolation), and tensors from `alloc`. The results are the same bits on any number.
   */
  readonly threads?: number;
}

/** From how many elements on the SIMD kernels are quicker than the plain ones, call included. */
const SMALLEST = 256;

/** From how many elements on two threads are quicker than one. */
const SMALLEST_THREADED = 2 ** 19;

/** What the layers of one backend share: kernels, the memory that they work in, and threads. */
export class Engine {
  /** Where tensors may lie for the SIMD kernels; null where those do not run. */
  readonly memory: TensorMemory | null;
  readonly pool: Pool | null;
  readonly #simd: Kernels;
  readonly #smallest: number;

  /** @throws BatchNormError `invalid-argument`, and `unsupported` where WebAssembly is asked for by name and does not run. */
  constructor({ kernels = "auto", threads = 1 }: CpuOptions) {
    if (kernels !== "auto" && kernels !== "plain" && kernels !== "wasm") {
      throw new BatchNormError("invalid-argument", "There are no such kernels", kernels, "'auto', 'plain' or 'wasm'");
    }
    if (!Number.isInteger(threads) || threads < 1) {
      throw new BatchNormError("invalid-argument", "The number of threads is wrong", threads, "a positive integer");
    }
    const shared = kernels === "plain" || threads === 1 ? null : shareMemory(threads, kernels === "wasm" ? 0 : SMALLEST_THREADED);
    const memory = shared ?? (kernels === "plain" ? null : separateMemory());
    if (memory === null && kernels === "wasm") {
      throw new BatchNormError("unsupported", "The SIMD kernels do not run here", kernels, "'auto', or a runtime that allows WebAssembly");
    }
    this.memory = memory;
    this.pool = shared?.pool ?? null;
    this.#simd = memory === null ? PLAIN : new SimdKernels(memory);
    this.#smallest = kernels === "wasm" ? 0 : SMALLEST;
  }

  /** The kernels for a tensor of so many elements. */
  kernelsFor(elements: number): Kernels {
    return elements < this.#smallest ? PLAIN : this.#simd;
  }
}

function separateMemory(): TensorMemory | null {
  const module = compileKernels("plain");
  return module && new Arenas(module);
}

function shareMemory(threads: number, smallest: number): SharedMemory | null {
  // A page without cross-origin isolation can make a shared memory, but not share it.
  if (typeof SharedArrayBuffer === "undefined") return null;
  const plain = compileKernels("plain");
  const shared = compileKernels("shared");
  return plain && shared && new SharedMemory({ plain, shared }, threads, smallest);
}
