import { FIXED_PAGES, instantiate, MOST_PAGES, PAGE } from "./compile.ts";
import { Heap, sizeOf } from "./heap.ts";
import { KernelMemory, type TensorMemory } from "./kernel-memory.ts";
import { HEAP } from "./layout.generated.ts";
import { Pool } from "./pool.ts";
import { tileMemory } from "./without-tensors.ts";

/**
 * Tensors in one memory that threads share. It may grow: views of a SharedArrayBuffer are not detached by that, they go on
 * showing the same bytes.
 */
export class SharedMemory implements TensorMemory {
  readonly pool: Pool;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: KernelMemory;
  /** For tensors that lie elsewhere: not shared, since V8 copies between shared and other memory three times as slowly. */
  readonly #tiles: KernelMemory;
  readonly #heap: Heap;
  readonly #live = new WeakSet<Float32Array>();
  /**
   * Of the memory as it is now. Not asked for again: when any shared memory of the process grows, V8 (Node 24) gives every other one a new
   * buffer object, too, and arrays on that would not be known as lying here.
   */
  #buffer: ArrayBufferLike;

  /** Tensors of fewer elements than `smallest` are not worth waking anybody up for. */
  constructor(modules: { readonly plain: WebAssembly.Module; readonly shared: WebAssembly.Module }, threads: number, smallest: number) {
    const module = modules.shared;
    this.#tiles = tileMemory(modules.plain);
    this.#memory = new WebAssembly.Memory({ initial: FIXED_PAGES, maximum: MOST_PAGES, shared: true });
    const { buffer } = this.#memory;
    this.#buffer = buffer;
    const run = instantiate(module, this.#memory);
    this.pool = new Pool(module, this.#memory, run, threads, smallest);
    this.#kernels = new KernelMemory(run, buffer, this.pool);
    this.#heap = new Heap(HEAP, buffer.byteLength);
  }

  find(x: Float32Array, second: Float32Array | null = null, third: Float32Array | null = null): KernelMemory {
    return this.#kernels.holds(x) || this.#kernels.holds(second) || this.#kernels.holds(third) ? this.#kernels : this.#tiles;
  }

  allocate(length: number): Float32Array | null {
    const found = this.#heap.take(4 * length) ?? (this.#grow(4 * length) ? this.#heap.take(4 * length) : null);
    if (found === null) return null;
    const data = new Float32Array(this.#buffer, found.address, length);
    if (!found.zero) data.fill(0);
    this.#live.add(data);
    return data;
  }

  release(data: Float32Array): void {
    if (this.#live.delete(data)) this.#heap.give(data.byteOffset, data.byteLength);
  }

  /** Doubles the memory, or more; false where it cannot have as much. */
  #grow(bytes: number): boolean {
    const before = this.#buffer.byteLength;
    const needed = Math.ceil(sizeOf(bytes) / PAGE);
    for (const pages of [Math.max(needed, Math.min(before / PAGE, MOST_PAGES - before / PAGE)), needed]) {
      try {
        this.#memory.grow(pages);
        this.#buffer = this.#memory.buffer;
        this.#kernels.addBuffer(this.#buffer);
        this.#heap.add(before, this.#buffer.byteLength);
        return true;
      } catch {
        // A RangeError: past the maximum, or there is not as much address space.
      }
    }
    return false;
  }
}
