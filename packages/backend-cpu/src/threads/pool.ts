import type { Kernel, KernelExports, KernelName } from "../simd/kernel-memory.ts";
import { LAYOUT } from "../simd/module.generated.ts";
import { startWorker, type WorkerHandle } from "./start-worker.ts";

/** The kernels by the number that stands for them in the table. Those with a mask work on tiles, which threads do not share. */
const NAMES: readonly KernelName[] = [
  "normalizeColumns",
  "normalizeRuns",
  "momentsColumns",
  "momentsRuns",
  "projectionsColumns",
  "projectionsRuns",
  "gradientColumns",
  "gradientRuns",
];

/** Where the counters stand; see worker.ts. */
const LIMIT = 0;
const NEXT = 16;
const DONE = 32;

/** How often the caller looks whether the others are done before it sleeps: about 50 microseconds. */
const LOOKS = 5000;

/** A worker, and what tells that it runs or never will. */
interface Started {
  readonly worker: WorkerHandle;
  readonly settled: (running: boolean) => void;
}

/**
 * Threads that share one memory. Calls are written into a table, published at once, and taken one by one by the workers and by the
 * caller, who returns when all are done: a worker that has not started yet, or never does, delays nothing. Every call writes
 * to places of its own, so who makes it does not show in the result.
 */
export class Pool {
  /** How many threads were asked for, the caller's included. */
  readonly size: number;
  /** The least elements of a tensor that it is for. */
  readonly smallest: number;
  /** Settles when every worker has started or failed to; gives the number of threads that run, the caller's included. */
  readonly ready: Promise<number>;
  readonly #kernels: KernelExports;
  readonly #counters: Int32Array;
  readonly #table: Int32Array;
  #workers: readonly Started[] = [];
  #limit = 0;
  #added = 0;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, kernels: KernelExports, size: number, smallest: number) {
    this.size = size;
    this.smallest = smallest;
    this.#kernels = kernels;
    this.#counters = new Int32Array(memory.buffer, LAYOUT.POOL, 48);
    this.#table = new Int32Array(memory.buffer, LAYOUT.TABLE, 16 * LAYOUT.CALLS);
    const start = { module, memory, names: NAMES, state: LAYOUT.POOL, table: LAYOUT.TABLE, calls: LAYOUT.CALLS };
    const workers: Started[] = [];
    const starting = Array.from(
      { length: size - 1 },
      () =>
        new Promise<boolean>((settled) => {
          const worker = startWorker(start, settled);
          if (worker === null) settled(false);
          else workers.push({ worker, settled });
        }),
    );
    this.#workers = workers;
    this.ready = Promise.all(starting).then((running) => 1 + running.filter(Boolean).length);
  }

  /** Puts a call of a kernel without mask into the table. */
  add(kernel: KernelName, ...args: Parameters<Kernel>): void {
    if (this.#added === LAYOUT.CALLS) this.run();
    const entry = 16 * ((this.#limit + this.#added) & (LAYOUT.CALLS - 1));
    this.#table[entry] = NAMES.indexOf(kernel);
    this.#table.set(args, entry + 1);
    this.#added++;
  }

  /** Makes all calls that were added, with the help of the workers. */
  run(): void {
    if (this.#added === 0) return;
    this.#limit = (this.#limit + this.#added) | 0;
    this.#added = 0;
    Atomics.store(this.#counters, LIMIT, this.#limit);
    Atomics.notify(this.#counters, LIMIT);
    while (this.#takeOne()) {}
    this.#wait();
  }

  /** Ends the workers. The caller goes on alone. */
  terminate(): void {
    for (const { worker, settled } of this.#workers) {
      worker.terminate();
      // Where it had not started yet.
      settled(false);
    }
    this.#workers = [];
  }

  #takeOne(): boolean {
    const next = Atomics.load(this.#counters, NEXT);
    if (next === this.#limit) return false;
    if (Atomics.compareExchange(this.#counters, NEXT, next, (next + 1) | 0) !== next) return true;
    const entry = 16 * (next & (LAYOUT.CALLS - 1));
    const table = this.#table;
    this.#kernels[NAMES[table[entry]]](
      table[entry + 1],
      table[entry + 2],
      table[entry + 3],
      table[entry + 4],
      table[entry + 5],
      table[entry + 6],
      table[entry + 7],
      table[entry + 8],
      table[entry + 9],
      table[entry + 10],
      table[entry + 11],
      table[entry + 12],
    );
    Atomics.add(this.#counters, DONE, 1);
    return true;
  }

  /** Until every call that a worker took is done. */
  #wait(): void {
    for (let looks = 0; ; looks++) {
      const done = Atomics.load(this.#counters, DONE);
      if (done === this.#limit) return;
      if (looks > LOOKS) sleep(this.#counters, done);
    }
  }
}

/** Sleeps until a worker is done, or for a millisecond, where that is allowed: the main thread of a page has to stay awake. */
function sleep(counters: Int32Array, done: number): void {
  try {
    Atomics.wait(counters, DONE, done, 1);
  } catch {
    // A TypeError: this thread cannot be suspended.
  }
}
