/** What a worker starts with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  /** Shared. */
  readonly memory: WebAssembly.Memory;
  /** The kernels by the number that stands for them in the table of calls. */
  readonly names: readonly string[];
  /** The addresses of the pool's state and of the table, and the calls that it holds: a power of two. */
  readonly state: number;
  readonly table: number;
  readonly calls: number;
}

/**
 * The life of a worker: takes calls from the table while there are any, and sleeps. The state is three counters that only ever grow
 * (and wrap), 64 bytes apart: [0] the calls published, [16] those taken, [32] those done. `next` is read before `limit`, so it is
 * never ahead of it, and whoever exchanges it takes that call alone.
 *
 * The text of this function is the worker's program: it may use nothing from outside, and no inner function.
 */
export function work({ module, memory, names, state, table, calls }: WorkerStart): void {
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, (...args: number[]) => void>;
  const counters = new Int32Array(memory.buffer, state, 48);
  const entries = new Int32Array(memory.buffer, table, 16 * calls);
  for (;;) {
    const next = Atomics.load(counters, 16);
    const limit = Atomics.load(counters, 0);
    if (next === limit) {
      Atomics.wait(counters, 0, limit);
    } else if (Atomics.compareExchange(counters, 16, next, (next + 1) | 0) === next) {
      const entry = 16 * (next & (calls - 1));
      kernels[names[entries[entry]]](...entries.subarray(entry + 1, entry + 13));
      Atomics.add(counters, 32, 1);
      Atomics.notify(counters, 32);
    }
  }
}
