import type { RunCall } from "./compile.ts";
import { CALL, CALL_BYTES, CALLS, COUNTERS, HEAP, SCRATCH, SCRATCH_BYTES, TABLE } from "./layout.generated.ts";
import { startWorker, type WorkerHandle } from "./start-worker.ts";

/** The int32 of one record. */
const WORDS: number = CALL_BYTES / 4;

/** Where the counters stand; see worker.ts. */
const LIMIT = 0;
const NEXT = 16;
const DONE = 32;
const FAILED = 48;

/** What so many threads work in, the caller's own apart, from HEAP on: bytes. */
export function scratchBytes(threads: number): number {
  return (threads - 1) * SCRATCH_BYTES;
}

/** How often the caller looks whether the others are done before it sleeps: about 50 microseconds. */
const MOST_LOOKS = 5000;

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
  readonly #run: RunCall;
  readonly #counters: Int32Array;
  /** The record of the call at hand, and the table. */
  readonly #call: Int32Array;
  readonly #table: Int32Array;
  #workers: readonly Started[] = [];
  #limit = 0;
  #added = 0;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, run: RunCall, size: number, smallest: number) {
    this.size = size;
    this.smallest = smallest;
    this.#run = run;
    this.#counters = new Int32Array(memory.buffer, COUNTERS, 64);
    this.#call = new Int32Array(memory.buffer, CALL, WORDS);
    this.#table = new Int32Array(memory.buffer, TABLE, CALLS * WORDS);
    const common = { module, memory, counters: COUNTERS, table: TABLE, calls: CALLS, callBytes: CALL_BYTES };
    const workers: Started[] = [];
    const starting = Array.from(
      { length: size - 1 },
      (_, index) =>
        new Promise<boolean>((settled) => {
          const worker = startWorker({ ...common, scratch: HEAP + index * SCRATCH_BYTES }, settled);
          if (worker === null) settled(false);
          else workers.push({ worker, settled });
        }),
    );
    this.#workers = workers;
    this.ready = Promise.all(starting).then((running) => 1 + running.filter(Boolean).length);
  }

  /** Forgets calls that were added and not made, because an error came between. */
  clear(): void {
    this.#added = 0;
  }

  /** Puts the call whose record stands at CALL into the table. */
  add(): void {
    if (this.#added === CALLS) this.run();
    this.#table.set(this.#call, WORDS * ((this.#limit + this.#added) & (CALLS - 1)));
    this.#added++;
  }

  /**
   * Makes all calls that were added, with the help of the workers.
   *
   * @throws the error of a call that trapped, after all others are done.
   */
  run(): void {
    if (this.#added === 0) return;
    this.#limit = (this.#limit + this.#added) | 0;
    this.#added = 0;
    Atomics.store(this.#counters, LIMIT, this.#limit);
    Atomics.notify(this.#counters, LIMIT);
    let failure: unknown = null;
    for (let index = this.#take(); index !== null; index = this.#take()) {
      try {
        this.#run(TABLE + CALL_BYTES * index, SCRATCH);
      } catch (error) {
        failure ??= error;
      }
      Atomics.add(this.#counters, DONE, 1);
    }
    this.#wait();
    if (Atomics.exchange(this.#counters, FAILED, 0) !== 0) failure ??= new Error("A kernel failed in one of the threads");
    if (failure !== null) throw failure;
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

  /** The place in the table of a call that is now the caller's to make; null where all are taken. */
  #take(): number | null {
    for (;;) {
      const next = Atomics.load(this.#counters, NEXT);
      if (next === this.#limit) return null;
      if (Atomics.compareExchange(this.#counters, NEXT, next, (next + 1) | 0) === next) return next & (CALLS - 1);
    }
  }

  /** Until every call that a worker took is done. */
  #wait(): void {
    for (let looks = 0; ; looks++) {
      const done = Atomics.load(this.#counters, DONE);
      if (done === this.#limit) return;
      if (looks > MOST_LOOKS) sleep(this.#counters, done);
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
