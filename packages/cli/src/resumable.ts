import { isBatchNormError } from "@batchnorm/spec";
import { CheckpointFile } from "./checkpoint-file.ts";
import type { Context } from "./context.ts";
import { Interruption } from "./interruption.ts";
import { Status, wrongUse } from "./status.ts";

/** What a measurement is given so that it can be stopped and go on. */
export interface Resumption {
  readonly signal: AbortSignal;
  /** What an earlier run left; undefined for nothing. */
  readonly checkpoint: unknown;
  /** To be called after every batch. */
  keep(checkpoint: () => unknown): Promise<void>;
}

/**
 * Runs a measurement that goes on where an earlier one was stopped. Its checkpoint lies beside the output until the output
 * is written. Null where it was stopped.
 *
 * @param restart whether what an earlier run left is dropped.
 * @throws BatchNormError `invalid-argument` for a checkpoint of something else, what `measure` throws.
 */
export async function resumable<Result>(
  context: Context,
  out: string,
  restart: boolean,
  measure: (resumption: Resumption) => Promise<Result>,
): Promise<{ readonly result: Result; finish(): Promise<void> } | null> {
  const file = new CheckpointFile(out);
  if (restart) await file.remove();
  const checkpoint = await file.read();
  if (checkpoint !== undefined) context.terminal.err(`Going on from ${file.path}.\n`);
  const interruption = new Interruption();
  const { signal } = interruption;
  try {
    const result = await measure({ signal, checkpoint, keep: (get) => file.keep(get, signal.aborted) });
    return { result, finish: () => file.remove() };
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      context.terminal.err(`\nStopped. The same command goes on from ${file.path}; with --restart it begins anew.\n`);
      context.finish(Status.stopped);
      return null;
    }
    const isRefused = isBatchNormError(error) && error.message.startsWith("The checkpoint");
    if (isRefused) throw wrongUse(`${file.path} is not of this run`, error.message, "the command that left it, or --restart", error);
    throw error;
  } finally {
    interruption.end();
  }
}
