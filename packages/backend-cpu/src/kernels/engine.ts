import { BatchNormError, type ChannelView, rejectUnknownOptions } from "@batchnorm/spec";
import { Arenas } from "../memory/arenas.ts";
import { compileKernels } from "../memory/compile.ts";
import type { TensorMemory } from "../memory/kernel-memory.ts";
import type { Pool } from "../memory/pool.ts";
import { SharedMemory } from "../memory/shared-memory.ts";
import { mostThreads } from "../memory/start-worker.ts";
import { Scratch } from "./scratch.ts";

/** How kernels compute. */
export interface EngineOptions {
  /**
   * `auto` (the default): SIMD WebAssembly where it runs and pays, plain TypeScript for small tensors and everywhere else.
   * `wasm`: for every tensor, and an error where it does not run. `plain`: for none.
   */
  readonly kernels?: "auto" | "plain" | "wasm" | undefined;
  /**
   * How many threads work on a large tensor, the caller's among them; default 1, and never more than the machine runs at once.
   * More than one needs a SharedArrayBuffer (in a page: cross-origin isolation), and tensors from `alloc`. The results are the
   * same bits on any number.
   */
  readonly threads?: number | undefined;
}

/** What the kernels of one backend run on. */
export interface Engine {
  /** Where the SIMD kernels work; null where WebAssembly does not run, or is not wanted. */
  readonly memory: TensorMemory | null;
  /** Set where more than one thread works. */
  readonly pool: Pool | null;
  /** The least elements of a tensor that the SIMD kernels are for, at least 1. */
  readonly smallest: number;
  readonly scratch: Scratch;
}

/** From how many elements on the SIMD kernels are quicker than the plain ones, call included. */
const SMALLEST = 256;

/** From how many elements on two threads are quicker than one. */
const SMALLEST_THREADED = 2 ** 19;

/** @throws BatchNormError `invalid-argument`, and `unsupported` where WebAssembly is asked for by name and does not run. */
export function newEngine(options: EngineOptions): Engine {
  rejectUnknownOptions("The options of the CPU backend", options as unknown, ["kernels", "threads"]);
  const { kernels = "auto", threads = 1 } = options;
  if (kernels !== "auto" && kernels !== "plain" && kernels !== "wasm") {
    throw new BatchNormError("invalid-argument", "There are no such kernels", kernels, "'auto', 'plain' or 'wasm'");
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new BatchNormError("invalid-argument", "The number of threads is wrong", threads, "a positive integer");
  }
  const wasmOnly = kernels === "wasm";
  const useful = Math.min(threads, mostThreads());
  const shared = kernels === "plain" || useful === 1 ? null : shareMemory(useful, wasmOnly ? 0 : SMALLEST_THREADED);
  const memory = shared ?? (kernels === "plain" ? null : separateMemory());
  if (memory === null && wasmOnly) {
    throw new BatchNormError("unsupported", "The SIMD kernels do not run here", kernels, "'auto', or a runtime that allows WebAssembly");
  }
  return { memory, pool: shared?.pool ?? null, smallest: wasmOnly ? 1 : SMALLEST, scratch: new Scratch() };
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

/** The memory for a tensor of so many elements; null where the plain kernels take it. */
export function memoryFor({ memory, smallest }: Engine, elements: number): TensorMemory | null {
  return elements < smallest ? null : memory;
}

/**
 * Refuses data that does not fill the view, such as an array whose buffer was transferred since a layer looked at it: neither
 * the loops nor the windows on it would notice.
 *
 * @throws BatchNormError `data-length`.
 */
export function checkData(what: string, data: Float32Array, { outer, channels, inner }: ChannelView): void {
  if (data.length === outer * channels * inner) return;
  throw new BatchNormError(
    "data-length",
    `The data of ${what} does not fill its shape`,
    data.length,
    `${outer * channels * inner} elements, ${outer} x ${channels} x ${inner}`,
  );
}

/** @throws BatchNormError `data-length`. */
export function checkMaskData(mask: Uint8Array | null, { outer, inner }: ChannelView): void {
  if (mask === null || mask.length === outer * inner) return;
  throw new BatchNormError("data-length", "The data of the mask does not fill its shape", mask.length, `${outer * inner} elements`);
}
