import { BatchNormError } from "@batchnorm/spec";
import { type Moments, mergeMoments } from "@batchnorm/spec/moments";
import type { OnnxModel } from "../file/model.ts";
import type { Analysis } from "../find/matches.ts";
import { batchMoments } from "./batch-moments.ts";
import { analysed, Execution, elementTypeOf } from "./execution.ts";
import { checkFinite } from "./layer-moments.ts";
import type { Feeds, Runtime, SessionOptions, Values } from "./runtime.ts";
import { isInBranch, Taps } from "./taps.ts";

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
 * spec). Those of a layer are missing where no batch reached it.
 *
 * @param model without training mode.
 * @param names of layers that `planMeasurement` takes.
 * @param from what was measured before: so many batches are passed over.
 */
export async function measure(
  model: OnnxModel,
  names: readonly string[],
  { ort, batches, sessionOptions, signal }: MeasureOptions,
  from: Measured | null,
  onBatch: (state: Measured) => unknown,
): Promise<Measured> {
  const subject = await analysed(model);
  const layers = tappedLayers(subject.analysis, names);
  const options = { whole: false, isRepeated: true, ...(sessionOptions && { options: sessionOptions }) };
  const execution = await Execution.open(
    subject,
    ort,
    layers.map(({ input }) => input),
    options,
  );
  const pooled = new Map(from?.moments);
  let batch = 0;
  try {
    for await (const feeds of typeof batches === "function" ? batches() : batches) {
      if (++batch <= (from?.batches ?? 0)) continue;
      const results = await execution.runAgain(feeds);
      for (const { layer, input, axis, isInBranch } of layers) {
        const values = results.get(input);
        if (values === undefined || values === null) {
          throw new BatchNormError("invalid-argument", `What the layer ${layer} reads is not there`, input, "floating-point numbers");
        }
        if (isInBranch && isNothing(values)) continue;
        const moments = batchMoments(values, axis);
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
  return { batches: batch, moments: pooled };
}

interface TappedLayer {
  readonly layer: string;
  /** The value that it reads, or that brings it out of the branches and functions around. */
  readonly input: string;
  readonly axis: number;
  readonly isInBranch: boolean;
}

/** Changes the model of the analysis, so that what the layers read is there. */
function tappedLayers({ matches, names: all, root }: Analysis, names: readonly string[]): readonly TappedLayer[] {
  const taps = new Taps(root);
  return names.map((layer) => {
    const match = matches[all.indexOf(layer)];
    const { scope, input, axis } = match;
    return { layer, input: taps.bringRead(scope, input, elementTypeOf(match))!.name, axis: axis.axis, isInBranch: isInBranch(scope) };
  });
}

/** What a branch gives that is not taken: no layer has data of one axis. */
function isNothing({ shape }: Values): boolean {
  return shape.length === 1 && shape[0] === 0;
}
