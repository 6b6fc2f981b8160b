import { instantiate, MOST_PAGES, PAGE } from "./compile.ts";
import type { Elements } from "./elements.ts";
import { Heap, sizeOf } from "./heap.ts";
import { type ElementsType, KernelMemory, type TensorMemory } from "./kernel-memory.ts";
import { HEAP } from "./layout.generated.ts";
import { fixedMemory, tileMemory } from "./without-tensors.ts";

/** The least size of an arena. */
const LEAST_PAGES = 1024;

/** A memory of fixed size with tensors in it. */
interface Arena {
  readonly memory: KernelMemory;
  readonly buffer: ArrayBufferLike;
  readonly heap: Heap;
  tensors: number;
}

/**
 * Tensors in arenas. A wasm memory that grows detaches every view of it, so none here ever does: each has its final size from the
 * start, and where the last one is full a larger one is made. That costs address space alone, as the system gives pages when they are touched.
 *
 * Only the last arena takes new tensors, so that those of one time lie together; another is dropped when its last tensor is.
 */
export class Arenas implements TensorMemory {
  readonly #module: WebAssembly.Module;
  /** For tensors that lie elsewhere. */
  readonly #tiles: KernelMemory;
  readonly #live = new WeakMap<Elements, Arena>();
  /** The last one comes first. */
  #arenas: readonly Arena[] = [];

  constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#tiles = tileMemory(module);
  }

  find(x: Elements, second: Elements | null = null, third: Elements | null = null): KernelMemory {
    let best = this.#tiles;
    let most = 0;
    for (const { memory } of this.#arenas) {
      const held = Number(memory.holds(x)) + Number(memory.holds(second)) + Number(memory.holds(third));
      if (held > most) [best, most] = [memory, held];
    }
    return best;
  }

  allocate<Data extends Elements>(length: number, type: ElementsType<Data>): Data | null {
    const data = this.#arenas.length === 0 ? null : this.#take(this.#arenas[0], length, type);
    if (data !== null) return data;
    const arena = this.#newArena(type.BYTES_PER_ELEMENT * length);
    if (arena === null) return null;
    this.#arenas = [arena, ...this.#arenas.filter(({ tensors }) => tensors > 0)];
    return this.#take(arena, length, type);
  }

  release(data: Elements): void {
    const arena = this.#live.get(data);
    if (arena === undefined) return;
    this.#live.delete(data);
    arena.heap.give(data.byteOffset, data.byteLength);
    arena.tensors--;
    this.#arenas = this.#arenas.filter((each, index) => index === 0 || each.tensors > 0);
  }

  #take<Data extends Elements>(arena: Arena, length: number, type: ElementsType<Data>): Data | null {
    const found = arena.heap.take(type.BYTES_PER_ELEMENT * length);
    if (found === null) return null;
    const data = new type(arena.buffer, found.address, length);
    if (!found.zero) data.fill(0);
    this.#live.set(data, arena);
    arena.tensors++;
    return data;
  }

  /**
   * An arena with room for four such tensors, as x, y, dy and dx have to lie in one to need no copies, and at least twice the last one;
   * or, where there is no such room, one for a single tensor; or null.
   */
  #newArena(bytes: number): Arena | null {
    const [last] = this.#arenas;
    const least = last === undefined ? LEAST_PAGES : (2 * last.buffer.byteLength) / PAGE;
    const wanted = Math.min(Math.max(pagesFor(4 * sizeOf(bytes)), least), MOST_PAGES);
    const needed = pagesFor(sizeOf(bytes));
    for (const pages of [wanted, needed]) {
      if (pages < needed || pages > MOST_PAGES) continue;
      try {
        const memory = fixedMemory(pages);
        const { buffer } = memory;
        return {
          memory: new KernelMemory(instantiate(this.#module, memory), buffer),
          buffer,
          heap: new Heap(HEAP, buffer.byteLength),
          tensors: 0,
        };
      } catch {
        // A RangeError: there is not as much address space.
      }
    }
    return null;
  }
}

function pagesFor(bytes: number): number {
  return Math.ceil((HEAP + bytes) / PAGE);
}
