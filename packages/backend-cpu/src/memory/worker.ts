/** What a worker starts with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  /** Shared. */
  readonly memory: WebAssembly.Memory;
  /** The addresses of the pool's counters and of its table of calls. */
  readonly counters: number;
  readonly table: number;
  /** How many calls the table holds, a power of two, and the bytes of each. */
  readonly calls: number;
  readonly callBytes: number;
  /** The address of SCRATCH_BYTES of its own. */
  readonly scratch: number;
}

/**
 * The life of a worker: takes calls from the table while there are any, and sleeps. The counters only ever grow (and wrap), and
 * lie 64 bytes apart: [0] the calls published, [16] those taken, [32] those done, [48] those that failed since the caller last
 * looked. `next` is read before `limit`, so it is never ahead of it, and whoever exchanges it takes that call alone.
 *
 * The text of this function is the worker's program: it may use nothing from outside, and no inner function.
 */
export function work({ module, memory, counters: state, table, calls, callBytes, scratch }: WorkerStart): void {
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports as { run(address: number, scratch: number): number };
  const counters = new Int32Array(memory.buffer, state, 64);
  for (;;) {
    const next = Atomics.load(counters, 16);
    const limit = Atomics.load(counters, 0);
    if (next === limit) {
      Atomics.wait(counters, 0, limit);
    } else if (Atomics.compareExchange(counters, 16, next, (next + 1) | 0) === next) {
      try {
        run(table + callBytes * (next & (calls - 1)), scratch);
      } catch {
        Atomics.add(counters, 48, 1);
      }
      Atomics.add(counters, 32, 1);
      Atomics.notify(counters, 32);
    }
  }
}
