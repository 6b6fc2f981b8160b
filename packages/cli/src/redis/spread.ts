import { setTimeout as sleep } from "node:timers/promises";
import { BatchNormError, isBatchNormError } from "@batchnorm/spec";
import type { Job, Queue, Worker } from "bullmq";
import type { ShardOfBatches } from "../data/data-source.ts";
import { messageOf } from "../files.ts";
import { checkServer, loadRedisPackages } from "./load.ts";

/** How long results stay on the server after they were written, in seconds: for a machine that comes late, or again. */
const KEPT = 24 * 60 * 60;

/** So often is the server asked, in milliseconds. */
const POLL = 250;

/** A shard that a machine failed at, and not its data, is tried so often. */
const ATTEMPTS = 3;

export interface SpreadOptions<Result> {
  readonly url: string;
  readonly shards: number;
  /** What is measured. Only machines that measure the same work together. */
  readonly key: string;
  /** After so many milliseconds without a sign of life a machine has lost its shard. */
  readonly lease: number;
  readonly signal: AbortSignal;
  /** Measures one shard on this machine. Its result is kept as JSON. */
  measure(shard: ShardOfBatches, signal: AbortSignal): Promise<Result>;
  onProgress(done: number): void;
  /** Called for a shard whose machine went silent: it is measured again. */
  onLost(shard: string): void;
}

/**
 * Measures shards together with all other processes that do the same at this server: each takes one after the other, and all
 * get all results, in the order of the shards. There is no master: every process adds the shards, which are known by their
 * number, so that a second one adds nothing. The shard of a process that died goes back into the queue. One that was thought
 * dead and was not measures it, too, and only one of the two results is kept.
 *
 * @throws BatchNormError `unsupported` without BullMQ, `invalid-argument` and `runtime-failure` for the server, and for a shard
 * that fails everywhere; the reason of `signal`.
 */
export async function spread<Result>(options: SpreadOptions<Result>): Promise<readonly Result[]> {
  const { url, shards, key, lease, signal } = options;
  const packages = await loadRedisPackages();
  await checkServer(packages, url);
  const { bullmq } = packages;
  const name = `batchnorm-${key}`;
  const connection = { url, maxRetriesPerRequest: null };
  const queue: Queue<ShardOfBatches, Result> = new bullmq.Queue(name, { connection });
  let worker: Worker<ShardOfBatches, Result> | null = null;
  try {
    await addShards(queue, shards);
    worker = new bullmq.Worker<ShardOfBatches, Result>(name, (job, token) => work(packages.bullmq, options, job, token), {
      connection,
      lockDuration: lease,
      stalledInterval: lease / 2,
      // Any number of machines may die on a shard; by default the second one fails it.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    worker.on("stalled", (job) => options.onLost(job));
    // Without a listener a lost connection ends the process; the client itself connects again.
    worker.on("error", () => undefined);
    queue.on("error", () => undefined);
    for (;;) {
      signal.throwIfAborted();
      const { completed = 0, failed = 0 } = await queue.getJobCounts("completed", "failed");
      options.onProgress(completed);
      if (failed > 0) throw await failureOf(queue);
      if (completed === shards) return await resultsOf(queue, shards);
      await sleep(POLL);
    }
  } finally {
    // Where it was stopped the shard at hand goes back into the queue before the worker closes.
    await worker?.close();
    await queue.close();
  }
}

async function addShards(queue: Queue<ShardOfBatches>, shards: number): Promise<void> {
  // What failed in an earlier run is tried again.
  for (const job of await queue.getJobs(["failed"])) await job.retry();
  await queue.addBulk(
    Array.from({ length: shards }, (_, k) => ({
      name: "shard",
      data: { index: k + 1, of: shards },
      opts: { jobId: jobOf(k + 1), attempts: ATTEMPTS, removeOnComplete: { age: KEPT }, removeOnFail: { age: KEPT } },
    })),
  );
}

async function work<Result>(
  { UnrecoverableError, WaitingError }: typeof import("bullmq"),
  { measure, signal }: SpreadOptions<Result>,
  job: Job<ShardOfBatches, Result>,
  token: string | undefined,
): Promise<Result> {
  const giveBack = async (): Promise<never> => {
    await job.moveToWait(token);
    throw new WaitingError();
  };
  if (signal.aborted) return giveBack();
  try {
    return await measure(job.data, signal);
  } catch (error) {
    if (signal.aborted) return giveBack();
    // The same data fails everywhere.
    if (isBatchNormError(error) && error.code !== "runtime-failure") throw new UnrecoverableError(`${error.code}: ${error.message}`);
    throw error instanceof Error ? error : new Error(messageOf(error));
  }
}

async function failureOf(queue: Queue): Promise<BatchNormError> {
  const [job] = await queue.getJobs(["failed"]);
  return new BatchNormError("runtime-failure", `${job?.id ?? "A shard"} failed`, job?.failedReason, "data that every machine can measure");
}

async function resultsOf<Result>(queue: Queue<ShardOfBatches, Result>, shards: number): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let index = 1; index <= shards; index++) {
    const job = await queue.getJob(jobOf(index));
    if (job === undefined) throw new BatchNormError("runtime-failure", "The server lost a result", jobOf(index), "all results");
    results.push(job.returnvalue);
  }
  return results;
}

function jobOf(shard: number): string {
  return `shard-${shard}`;
}
