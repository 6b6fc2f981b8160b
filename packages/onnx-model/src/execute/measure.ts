import { BatchNormError } from "@batchnorm/spec";
import { type Moments, mergeMoments } from "@batchnorm/spec/moments";
import type { Match } from "../find/match.ts";
import { batchMoments } from "./batch-moments.ts";
import { type Analysed, Execution } from "./execution.ts";
import { checkFinite } from "./layer-moments.ts";
import type { Feeds, Runtime, SessionOptions } from "./runtime.ts";

/**
 * Batches, or a function that begins anew at the first one: level by level, the data is read several times. One batch is
 * held at a time.
 */
export type Batches = readonly Feeds[] | (() => Iterable<Feeds> | AsyncIterable<Feeds>);

export interface MeasureOptions {
  readonly ort: Runtime;
  readonly batches: Batches;
  readonly sessionOptions?: SessionOptions;
  /** Stops after the batch at hand; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** How far a pass over the data got. */
export interface Measured {
  readonly batches: number;
  readonly moments: ReadonlyMap<string, Moments>;
}

/**
 * The moments of what layers read, over all batches: pooled in float64, in the order of the batches (section 19 of the
 * spec). Empty where there are no batches.
 *
 * @param from what was measured before: so many batches are passed over.
 */
export async function measure(
  measured: Analysed,
  layers: ReadonlyMap<string, Match>,
  { ort, batches, sessionOptions, signal }: MeasureOptions,
  from: Measured | null,
  onBatch: (state: Measured) => unknown,
): Promise<ReadonlyMap<string, Moments>> {
  const values = [...layers.values()].map(({ input }) => input);
  const options = { whole: false, isRepeated: true, ...(sessionOptions && { options: sessionOptions }) };
  const execution = await Execution.open(measured, ort, values, options);
  const pooled = new Map(from?.moments);
  let batch = 0;
  try {
    for await (const feeds of typeof batches === "function" ? batches() : batches) {
      if (++batch <= (from?.batches ?? 0)) continue;
      const results = await execution.runAgain(feeds);
      for (const [layer, { input, axis }] of layers) {
        const values = results.get(input);
        if (values === undefined || values === null) {
          throw new BatchNormError("invalid-argument", `What the layer ${layer} reads is not there`, input, "floating-point numbers");
        }
        const moments = batchMoments(values, axis.axis);
        checkFinite(layer, batch, moments);
        const before = pooled.get(layer);
        pooled.set(layer, before === undefined ? moments : mergeMoments([before, moments]));
      }
      await onBatch({ batches: batch, moments: pooled });
      signal?.throwIfAborted();
    }
  } finally {
    await execution.close();
  }
  if (batch < (from?.batches ?? 0)) {
    throw new BatchNormError("invalid-argument", "The data has fewer batches than were measured before", batch, `${from?.batches}`);
  }
  return pooled;
}
