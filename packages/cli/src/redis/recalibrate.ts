import { createHash } from "node:crypto";
import type { OnnxModel } from "@batchnorm/onnx-model";
import { measureShard, mergePartials, modelHash, type Partial, type RecalibrateResult } from "@batchnorm/onnx-model/execute";
import type { VarianceEstimator } from "@batchnorm/spec";
import type { Context } from "../context.ts";
import { type DataOptions, openData } from "../data-options.ts";
import { Interruption } from "../interruption.ts";
import { ProgressLine } from "../progress.ts";
import { loadRuntime } from "../runtime.ts";
import { Status } from "../status.ts";
import { spread } from "./spread.ts";

export interface SpreadRecalibrateOptions extends DataOptions {
  readonly redis: string;
  readonly shards: number;
  /** In seconds. */
  readonly lease: number;
  readonly layer?: readonly string[];
  readonly estimator: VarianceEstimator;
  readonly ep: string;
}

export interface SpreadResult {
  readonly result: RecalibrateResult;
  readonly samples: number;
  /** How many shards were measured by this process. */
  readonly here: number;
}

/** Recalibrates together with every other process that was started with the same model, data and options. Null where it was stopped. */
export async function recalibrateTogether(
  context: Context,
  model: OnnxModel,
  options: SpreadRecalibrateOptions,
): Promise<SpreadResult | null> {
  const { redis: url, shards, lease, layer, estimator, ep } = options;
  const ort = await loadRuntime(ep);
  const whole = await openData(model, options);
  const { fingerprint } = whole;
  await whole.close();
  const task = JSON.stringify([await modelHash(model), fingerprint, shards, layer ?? null]);
  const progress = new ProgressLine(context.terminal, shards);
  const interruption = new Interruption();
  let here = 0;
  try {
    const partials = await spread<Partial>({
      url,
      shards,
      key: createHash("sha256").update(task).digest("hex").slice(0, 16),
      lease: lease * 1000,
      signal: interruption.signal,
      measure: async (shard, signal) => {
        const data = await openData(model, options, shard);
        try {
          const partial = await measureShard(model, {
            ort,
            signal,
            sessionOptions: { executionProviders: [ep] },
            ...(layer === undefined ? {} : { layers: layer }),
            batches: () => data.batches(ort),
            shard: () => ({ ...shard, ...data.counts(), data: fingerprint }),
          });
          here += 1;
          return partial;
        } finally {
          await data.close();
        }
      },
      onProgress: (done) => progress.show(done, "shards"),
      onLost: (shard) => context.terminal.err(`${shard}: its machine went silent, it is measured again\n`),
    });
    const samples = partials[0].shard.totalSamples;
    return { result: await mergePartials(model, partials, estimator), samples, here };
  } catch (error) {
    if (!interruption.signal.aborted || error !== interruption.signal.reason) throw error;
    context.terminal.err("\nStopped. What was measured is on the server; the same command goes on.\n");
    context.finish(Status.stopped);
    return null;
  } finally {
    progress.clear();
    interruption.end();
  }
}
