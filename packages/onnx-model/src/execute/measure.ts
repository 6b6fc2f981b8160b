import { BatchNormError } from "@batchnorm/spec";
import { type Moments, mergeMoments } from "@batchnorm/spec/moments";
import type { Match } from "../find/match.ts";
import { batchMoments } from "./batch-moments.ts";
import { type Analysed, Execution } from "./execution.ts";
import type { Feeds, Runtime, SessionOptions } from "./runtime.ts";

/** Batches, or a function that begins anew at the first one: level by level, the data is read several times. */
export type Batches = readonly Feeds[] | (() => Iterable<Feeds> | AsyncIterable<Feeds>);

export interface MeasureOptions {
  readonly ort: Runtime;
  readonly batches: Batches;
  readonly sessionOptions?: SessionOptions;
  /** Called after every batch with the number of batches that were run. */
  readonly onBatch?: () => void;
}

/** The moments of what layers read, over all batches: pooled in float64, in the order of the batches (section 19 of the spec). */
export async function measure(
  measured: Analysed,
  layers: ReadonlyMap<string, Match>,
  { ort, batches, sessionOptions, onBatch }: MeasureOptions,
): Promise<ReadonlyMap<string, Moments>> {
  const values = [...layers.values()].map(({ input }) => input);
  const execution = await Execution.open(measured, ort, values, { whole: false, ...(sessionOptions && { options: sessionOptions }) });
  const pooled = new Map<string, Moments>();
  try {
    for await (const feeds of typeof batches === "function" ? batches() : batches) {
      const results = await execution.runAgain(feeds);
      for (const [layer, { input, axis }] of layers) {
        const values = results.get(input);
        if (values === undefined || values === null) {
          throw new BatchNormError("invalid-argument", `What the layer ${layer} reads is not there`, input, "floating-point numbers");
        }
        const moments = batchMoments(values, axis.axis);
        const before = pooled.get(layer);
        pooled.set(layer, before === undefined ? moments : mergeMoments([before, moments]));
      }
      onBatch?.();
    }
  } finally {
    await execution.close();
  }
  if (pooled.size < layers.size) throw new BatchNormError("empty-batch", "There are no batches", 0, "at least one");
  return pooled;
}
