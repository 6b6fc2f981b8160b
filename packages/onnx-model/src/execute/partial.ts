import { BatchNormError, type VarianceEstimator } from "@batchnorm/spec";
import { type Moments, mergeMoments } from "@batchnorm/spec/moments";
import type { OnnxModel } from "../file/model.ts";
import { type Checkpoint, checkedCheckpoint, newCheckpoint } from "./checkpoint.ts";
import { faultOfLayers, fromLayerMoments, type LayerMoments, modelHash, toLayerMoments } from "./layer-moments.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import { finish, noMoments, planMeasurement, type RecalibrateResult } from "./recalibrate.ts";

const FORMAT = "batchnorm-partial";
const VERSION = 1;

/** Which part of the data was measured. Shards, not workers, decide about the result: who measures which, and when, does not matter. */
export interface Shard {
  /** From 1 to `of`. */
  readonly index: number;
  readonly of: number;
  /** How many samples are in this shard, and in all of the data. */
  readonly samples: number;
  readonly totalSamples: number;
  /** What tells this data from other data: shards of different data are not merged. */
  readonly data: string;
}

/** What one shard says of every layer. Plain data: JSON keeps every bit of a float64. */
export interface Partial {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** SHA-256 of the model. */
  readonly model: string;
  readonly shard: Shard;
  readonly layers: readonly LayerMoments[];
}

export interface ShardOptions extends MeasureOptions {
  /** A function is asked after the last batch: not all data says beforehand how many samples it has. */
  readonly shard: Shard | (() => Shard);
  readonly layers?: readonly string[];
  /** Where to go on, as an earlier `onBatch` gave it; `key` tells data and shard from others (empty by default). */
  readonly checkpoint?: unknown;
  readonly key?: string;
  /** Called after every batch, and waited for. */
  readonly onBatch?: (progress: { readonly batches: number; readonly checkpoint: () => Checkpoint }) => unknown;
}

/**
 * Measures one shard of the data, in one pass with the old statistics: `recalibrate` is all shards and `mergePartials`.
 *
 * @throws BatchNormError what `recalibrate` throws.
 */
export async function measureShard(model: OnnxModel, options: ShardOptions): Promise<Partial> {
  const { shard, key = "", checkpoint, onBatch } = options;
  if (typeof shard !== "function") checkShard(shard);
  const plan = await planMeasurement(model, options.layers);
  const { layers: names } = plan;
  const identity = { model: await modelHash(model), task: JSON.stringify({ shard: true, layers: names, key }) };
  const from = checkpoint === undefined ? null : checkedCheckpoint(checkpoint, identity);
  const { moments: found } = await measure(plan.model, names, options, from, ({ batches, moments }) =>
    onBatch?.({ batches, checkpoint: () => newCheckpoint({ ...identity, pass: 0, batches }, moments) }),
  );
  // Where there are more shards than batches, some are empty, and change nothing (clause 19.3).
  const layers = names.map((name) => toLayerMoments(name, found.get(name) ?? noMoments(plan.states[name])));
  const measured = typeof shard === "function" ? shard() : shard;
  checkShard(measured);
  return { format: FORMAT, version: VERSION, model: identity.model, shard: measured, layers };
}

/**
 * Merges the partials of all shards, whatever their order: always in that of the shards, so the result has the same bits whoever measured them.
 *
 * @throws BatchNormError `invalid-json` for anything but partials; `invalid-argument` for an incomplete set, a shard that is there twice, and
 * partials of another model, other layers or other data.
 */
export async function mergePartials(
  model: OnnxModel,
  partials: readonly unknown[],
  estimator: VarianceEstimator = "population",
): Promise<RecalibrateResult> {
  const checked = partials.map(checkPartial);
  const [first] = checked;
  if (first === undefined) throw new BatchNormError("invalid-argument", "There are no partials to merge", 0, "those of all shards");
  const hash = await modelHash(model);
  for (const partial of checked) checkBelongs(partial, first, hash);
  const sorted = [...checked].sort((a, b) => a.shard.index - b.shard.index);
  checkComplete(sorted);
  const names = first.layers.map(({ name }) => name);
  const { states, skipped, layers } = await planMeasurement(model, names);
  const missing = names.find((name) => !layers.includes(name));
  if (missing !== undefined) throw new BatchNormError("invalid-argument", "A partial has a layer without statistics", missing, "another");
  const moments: Record<string, Moments> = {};
  for (const [k, name] of names.entries()) {
    moments[name] = mergeMoments(sorted.map(({ layers: each }) => fromLayerMoments(each[k])));
  }
  return finish(model, { states, skipped, moments, estimator });
}

function checkShard({ index, of, samples, totalSamples }: Shard): void {
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isCount(index) || !isCount(of) || index < 1 || index > of) {
    throw new BatchNormError("invalid-argument", "The shard is wrong", `${index}/${of}`, "i/n with i from 1 to n");
  }
  if (!isCount(samples) || !isCount(totalSamples) || samples > totalSamples) {
    throw new BatchNormError("invalid-argument", "The shard's samples are wrong", `${samples} of ${totalSamples}`, "whole numbers");
  }
}

function checkPartial(value: unknown): Partial {
  const refuse = (what: string, received: unknown): never => {
    throw new BatchNormError("invalid-json", `The partial is wrong: ${what}`, received, "what measureShard gave");
  };
  const { format, version, model, shard, layers } = (typeof value === "object" ? (value ?? {}) : {}) as Record<string, unknown>;
  if (format !== FORMAT || version !== VERSION) refuse("format or version", `${format} ${version}`);
  if (typeof model !== "string") refuse("model", model);
  if (typeof shard !== "object" || shard === null || typeof (shard as Shard).data !== "string") refuse("shard", shard);
  checkShard(shard as Shard);
  if (!Array.isArray(layers) || layers.length === 0) return refuse("layers", layers);
  const fault = faultOfLayers(layers);
  if (fault !== null) refuse(fault.what, fault.received);
  return value as Partial;
}

function checkBelongs({ model, shard, layers }: Partial, first: Partial, hash: string): void {
  const where = `The partial of shard ${shard.index}/${shard.of}`;
  if (model !== hash) throw new BatchNormError("invalid-argument", `${where} is of another model`, model, hash);
  const same: readonly (readonly [string, unknown, unknown])[] = [
    ["another number of shards", shard.of, first.shard.of],
    ["other data", shard.data, first.shard.data],
    ["other data", shard.totalSamples, first.shard.totalSamples],
    ["other layers", layers.map(({ name }) => name).join(", "), first.layers.map(({ name }) => name).join(", ")],
  ];
  for (const [what, received, expected] of same) {
    if (received !== expected) throw new BatchNormError("invalid-argument", `${where} is of ${what}`, received, String(expected));
  }
}

/** All shards, each once, with all samples. */
function checkComplete(sorted: readonly Partial[]): void {
  const { of, totalSamples } = sorted[0].shard;
  const twice = sorted.find(({ shard }, k) => k > 0 && shard.index === sorted[k - 1].shard.index);
  if (twice !== undefined) throw new BatchNormError("invalid-argument", "A shard is there twice", twice.shard.index, "each shard once");
  if (sorted.length < of) {
    const here = new Set(sorted.map(({ shard }) => shard.index));
    const missing = Array.from({ length: of }, (_, k) => k + 1).filter((index) => !here.has(index));
    throw new BatchNormError("invalid-argument", "Shards are missing", missing, `all of ${of}`);
  }
  const samples = sorted.reduce((sum, { shard }) => sum + shard.samples, 0);
  if (samples !== totalSamples)
    throw new BatchNormError("invalid-argument", "The shards are not all of the data", samples, `${totalSamples}`);
}
