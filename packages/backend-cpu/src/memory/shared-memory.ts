import { instantiate, MOST_PAGES, PAGE } from "./compile.ts";
import type { Elements } from "./elements.ts";
import { Heap, sizeOf } from "./heap.ts";
import { type ElementsType, KernelMemory, type TensorMemory } from "./kernel-memory.ts";
import { HEAP } from "./layout.generated.ts";
import { Pool, scratchBytes } from "./pool.ts";
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
  readonly #live = new WeakSet<Elements>();
  /**
   * Of the memory as it is now. Not asked for again: when any shared memory of the process grows, V8 (Node 24) gives every other one a new
   * buffer object, too, and arrays on that would not be known as lying here.
   */
  #buffer: ArrayBufferLike;

  /** Tensors of fewer elements than `smallest` are not worth waking anybody up for. */
  constructor(modules: { readonly plain: WebAssembly.Module; readonly shared: WebAssembly.Module }, threads: number, smallest: number) {
    const module = modules.shared;
    this.#tiles = tileMemory(modules.plain);
    const heap = HEAP + scratchBytes(threads);
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(heap / PAGE), maximum: MOST_PAGES, shared: true });
    const { buffer } = this.#memory;
    this.#buffer = buffer;
    const run = instantiate(module, this.#memory);
    this.pool = new Pool(module, this.#memory, run, threads, smallest);
    this.#kernels = new KernelMemory(run, buffer, this.pool);
    this.#heap = new Heap(heap, buffer.byteLength);
  }

  find(x: Elements, second: Elements | null = null, third: Elements | null = null): KernelMemory {
    return this.#kernels.holds(x) || this.#kernels.holds(second) || this.#kernels.holds(third) ? this.#kernels : this.#tiles;
  }

  allocate<Data extends Elements>(length: number, type: ElementsType<Data>): Data | null {
    const bytes = type.BYTES_PER_ELEMENT * length;
    const found = this.#heap.take(bytes) ?? (this.#grow(bytes) ? this.#heap.take(bytes) : null);
    if (found === null) return null;
    const data = new type(this.#buffer, found.address, length);
    if (!found.zero) data.fill(0);
    this.#live.add(data);
    return data;
  }

  release(data: Elements): void {
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
