import { BatchNormError, isBatchNormError } from "@batchnorm/spec";
import type { Tf } from "./tf.ts";

/** Runs work on the backend that a layer belongs to. */
export type Run = <Value>(work: () => Value) => Value;

/**
 * A `Run` that tells the runtime's own errors from those of the contract (clause 14.3). With a backend's name, it makes that one
 * the active backend for the time of the work; without, the work runs on whichever is active.
 *
 * `work` must be synchronous: another backend than the active one is in force for its duration only.
 */
export function runner(tf: Tf, backendName: string | null): Run {
  return (work) => {
    try {
      return backendName === null ? work() : onBackend(tf, backendName, work);
    } catch (error) {
      if (isBatchNormError(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new BatchNormError("runtime-failure", "tfjs failed", message, "a call that tfjs can run", error);
    }
  };
}

function onBackend<Value>(tf: Tf, backendName: string, work: () => Value): Value {
  const before = tf.getBackend();
  if (before === backendName) return work();
  // Both are initialized, so neither of these promises has anything to wait for: tfjs 4.22 switches before it returns them.
  void tf.setBackend(backendName);
  try {
    return work();
  } finally {
    void tf.setBackend(before);
  }
}
