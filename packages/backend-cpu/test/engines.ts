import type { Engine } from "../src/kernels/engine.ts";
import { Scratch } from "../src/kernels/scratch.ts";
import { tileMemory } from "../src/memory/arenas.ts";
import { compileKernels } from "../src/memory/compile.ts";
import { LAYOUT } from "../src/memory/module.generated.ts";

/** The SIMD kernels for every tensor, with a tile and a stage of so many elements, and no memory of their own for tensors. */
export function engineWithTiles(tile: number = LAYOUT.TILE, stage?: number): Engine {
  const memory = tileMemory(compileKernels("plain") as WebAssembly.Module, tile, stage);
  const tensors = { find: () => memory, allocate: () => null, release: () => {} };
  return { memory: tensors, pool: null, smallest: 1, scratch: new Scratch() };
}

export function plainEngine(): Engine {
  return { memory: null, pool: null, smallest: 1, scratch: new Scratch() };
}
