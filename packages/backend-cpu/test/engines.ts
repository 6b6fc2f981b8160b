import type { Engine } from "../src/kernels/engine.ts";
import { compileKernels } from "../src/memory/compile.ts";
import { ALL_KERNELS } from "../src/memory/module.generated.ts";
import { memoryWithoutTensors } from "../src/memory/without-tensors.ts";

/** All kernels, compiled for a plain memory and for a shared one. */
export const modules = {
  plain: compileKernels(ALL_KERNELS, "plain") as WebAssembly.Module,
  shared: compileKernels(ALL_KERNELS, "shared") as WebAssembly.Module,
};

/** The SIMD kernels for every tensor, with a tile and a stage of so many elements, and no memory of their own for tensors. */
export function engineWithTiles(tile?: number, stage?: number): Engine {
  return { memory: memoryWithoutTensors(modules.plain, tile, stage), smallest: 1, scratch: null };
}

export function plainEngine(): Engine {
  return { memory: null, smallest: 1, scratch: null };
}
