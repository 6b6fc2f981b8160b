import type { Task } from "./task.ts";

/** What one run gave, for the check that precedes all timing: the fields of the work that was done; the others are left out. */
export interface Results {
  readonly y?: Float32Array;
  /** After a training step from the task's state; population variance. */
  readonly movingMean?: Float32Array;
  readonly movingVariance?: Float32Array;
  readonly dx?: Float32Array;
  readonly dgamma?: Float32Array;
  readonly dbeta?: Float32Array;
}

/** A competitor made ready for one task: inputs uploaded, outputs allocated where it can reuse them. */
export interface Contender {
  /** The work, once. What it returns is awaited; only this is timed. It frees what it allocates. */
  run(): unknown;
  /**
   * The numbers of a first run from the task's state, in the task's layout; null for the copy, which normalizes nothing. Called once,
   * before anything is timed.
   */
  results(): Results | null | Promise<Results>;
  /** For a competitor in another process, which measures itself: milliseconds of single runs, for about as long as it is told. */
  sample?(milliseconds: number): Promise<readonly number[]>;
  dispose(): void | Promise<void>;
}

/** One row of the report. */
export interface Competitor {
  /** Such as `tfjs wasm` or `backend-tfjs (wasm)`. */
  readonly name: string;
  /** Makes a task ready, or gives null where this competitor cannot do it. */
  prepare(task: Task): Promise<Contender | null>;
  dispose?(): void;
}
