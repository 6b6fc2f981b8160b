import { instantiate, PAGE } from "./compile.ts";
import { KernelMemory, type TensorMemory } from "./kernel-memory.ts";
import { HEAP } from "./layout.generated.ts";

/** Elements of x, and as many of dy, that the stage takes: a quarter of a megabyte each, what a second-level cache holds. */
const STAGE = 2 ** 16;

/**
 * A memory that holds no tensors, and has tiles and a stage for those that lie elsewhere, of so many elements. No result depends on
 * either.
 */
export function tileMemory(module: WebAssembly.Module, tile?: number, stage: number = STAGE): KernelMemory {
  const memory = fixedMemory(Math.ceil((HEAP + 8 * stage) / PAGE));
  return new KernelMemory(instantiate(module, memory), memory.buffer, null, tile, stage);
}

/** Where every tensor lies elsewhere. */
export function memoryWithoutTensors(module: WebAssembly.Module, tile?: number, stage?: number): TensorMemory {
  const memory = tileMemory(module, tile, stage);
  return { find: () => memory, allocate: () => null, release: () => {} };
}

/** A memory that cannot grow: that would detach every view of it. */
export function fixedMemory(pages: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}
