import type { KernelMemory } from "./kernel-memory.ts";

/** Where kernels work and tensors may lie. */
export interface TensorMemory {
  /** The memory that holds all of these, or else one with tiles for them. */
  find(x: Float32Array, second?: Float32Array, third?: Float32Array): KernelMemory;
  /** An array of zeros in kernel memory; null where there is no room. It stays where it is until it is released. */
  allocate(length: number): Float32Array | null;
  /** Frees what `allocate` gave; any other array is left alone. */
  release(data: Float32Array): void;
}
