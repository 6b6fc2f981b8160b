/** Tensors begin at such addresses: a cache line. */
const ALIGNMENT = 64;

/** A range of bytes, `[start, end)`. */
interface Range {
  start: number;
  end: number;
}

/** Which stretches of a memory are free: first fit, neighbours merged. */
export class Heap {
  /** In order, none touching another. */
  readonly #free: Range[] = [];
  /** Everything from here on is as the memory came: zero. */
  #untouched = 0;

  constructor(start: number, end: number) {
    this.#untouched = start;
    this.add(start, end);
  }

  /** The address of `bytes` free bytes, and whether they are zero; null where no stretch is long enough. */
  take(bytes: number): { readonly address: number; readonly zero: boolean } | null {
    const size = sizeOf(bytes);
    const index = this.#free.findIndex(({ start, end }) => end - start >= size);
    if (index < 0) return null;
    const range = this.#free[index];
    const address = range.start;
    range.start += size;
    if (range.start === range.end) this.#free.splice(index, 1);
    const zero = address >= this.#untouched;
    this.#untouched = Math.max(this.#untouched, address + size);
    return { address, zero };
  }

  /** Gives back what `take(bytes)` gave. */
  give(address: number, bytes: number): void {
    this.add(address, address + sizeOf(bytes));
  }

  /** Adds a range of free bytes. */
  add(start: number, end: number): void {
    const found = this.#free.findIndex((range) => range.start > start);
    const index = found < 0 ? this.#free.length : found;
    this.#free.splice(index, 0, { start, end });
    this.#merge(index);
    this.#merge(index - 1);
  }

  /** Merges a stretch with the next, if they touch. */
  #merge(index: number): void {
    const [range, next] = [this.#free[index], this.#free[index + 1]];
    if (range === undefined || next === undefined || range.end !== next.start) return;
    range.end = next.end;
    this.#free.splice(index + 1, 1);
  }
}

/**
 * What a tensor takes up: its bytes to the cache line, and one line more, so that two tensors of one size do not lie a multiple of
 * 4096 bytes apart. If they did, loads would wait for stores that only look like the same address: 1.6 M elements took 2.3 times as long.
 */
export function sizeOf(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT + ALIGNMENT;
}
