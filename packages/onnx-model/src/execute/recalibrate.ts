import { BatchNormError, type Statistics, type VarianceEstimator } from "@batchnorm/spec";
import { type BatchNormJSON, fromJSON, toJSON } from "@batchnorm/spec/convert";
import { type Moments, statisticsOf } from "@batchnorm/spec/moments";
import type { OnnxModel } from "../file/model.ts";
import type { Match } from "../find/match.ts";
import { freeze } from "../freeze/freeze.ts";
import { readStates } from "../states/read-states.ts";
import { writeStates } from "../states/write-states.ts";
import { type Checkpoint, checkedCheckpoint, newCheckpoint } from "./checkpoint.ts";
import { levelsOf } from "./dependencies.ts";
import { driftOf, type LayerDrift } from "./drift.ts";
import { analysed, type SkippedLayer } from "./execution.ts";
import { modelHash } from "./layer-moments.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import { skipNested } from "./nested-layers.ts";

export interface RecalibrateOptions extends MeasureOptions {
  /**
   * `one` (default): one pass over the data, in which all layers are measured and the old statistics normalize. `exact`: level by level; what a
   * layer reads is measured after all layers before it got their new statistics. That is what training would converge to, and takes as many
   * passes as layers follow each other.
   */
  readonly rounds?: "one" | "exact";
  /** The names of the layers, as `find` gives them. Default: all that have statistics in the file. */
  readonly layers?: readonly string[];
  /** What enters the moving variance (clause 7.4 of the spec). Default: `population`, as Keras has it; PyTorch has `sample`. */
  readonly estimator?: VarianceEstimator;
  /** Where to go on: what `checkpoint()` of an earlier run's progress gave, as an object or read back from JSON. */
  readonly checkpoint?: unknown;
  /** What tells the data from other data, so that the checkpoint of other data is refused. Empty by default. */
  readonly key?: string;
  /** Called after every batch, and waited for. */
  readonly onProgress?: (progress: Progress) => unknown;
}

export interface Progress {
  /** Passes over the data that are complete, and how many there are. */
  readonly pass: number;
  readonly passes: number;
  /** Batches of this pass that were run. */
  readonly batches: number;
  /** What `recalibrate` needs to go on from here after it was stopped. */
  checkpoint(): Checkpoint;
}

export interface RecalibrateResult {
  readonly model: OnnxModel;
  /** What was measured, by layer. The count of a layer that no batch reached is 0, and its statistics are the old ones. */
  readonly moments: Readonly<Record<string, Moments>>;
  /** Old statistics against new ones, the layer that moved most first. */
  readonly drift: readonly LayerDrift[];
  readonly skipped: readonly SkippedLayer[];
}

/**
 * New moving statistics from data: what each layer reads is measured, and pooled by count, mean and centred sum in float64 (section 19 of the
 * spec). Training mode is off for this, and on again afterwards: the model that is given is not changed, and the new one has its nodes. So the
 * result does not depend on batch sizes or order beyond rounding. A batch that does not take the branch of a layer says nothing of it.
 *
 * @throws BatchNormError `invalid-argument` for options, missing inputs, and the checkpoint of another measurement;
 * `invalid-json` for something else than a checkpoint; `empty-batch` for no data; `non-finite` for data that gives a mean
 * or variance that is not finite; `unsupported` where a layer in training mode cannot be frozen; `runtime-failure`; what
 * `find` throws; the reason of `signal`.
 */
export async function recalibrate(model: OnnxModel, options: RecalibrateOptions): Promise<RecalibrateResult> {
  const { rounds = "one", estimator = "population", key = "", checkpoint, onProgress } = options;
  if (rounds !== "one" && rounds !== "exact") {
    throw new BatchNormError("invalid-argument", "rounds is wrong", rounds, '"one" or "exact"');
  }
  const plan = await planMeasurement(model, options.layers);
  const { layers, skipped, states } = plan;
  const levels = rounds === "one" ? [[...layers]] : plan.levels;
  const passes = levels.length;
  const task = JSON.stringify({ rounds, estimator, layers, key });
  const identity = { model: await modelHash(model), task };
  const resumed = checkpoint === undefined ? null : checkedCheckpoint(checkpoint, identity);
  let measured = plan.model;
  const moments: Record<string, Moments> = {};
  for (const [pass, names] of levels.entries()) {
    const isDone = resumed !== null && pass < resumed.pass;
    const from = resumed?.pass === pass ? { batches: resumed.batches, moments: only(names, resumed.moments) } : null;
    const found = isDone
      ? resumed
      : await measure(measured, names, options, from, ({ batches, moments: sofar }) =>
          onProgress?.({
            pass,
            passes,
            batches,
            checkpoint: () => newCheckpoint({ ...identity, pass, batches }, [...Object.entries(moments), ...sofar]),
          }),
        );
    if (!isDone && found.batches === 0) throw new BatchNormError("empty-batch", "There are no batches", 0, "at least one");
    for (const name of names) moments[name] = found.moments.get(name) ?? noMoments(states[name]);
    if (pass + 1 < passes) {
      measured = (await writeStates(measured, newStates(states, moments, reached(moments, names), estimator))).model;
    }
  }
  return finish(model, { states, skipped, moments, estimator });
}

function only(names: readonly string[], moments: ReadonlyMap<string, Moments>): ReadonlyMap<string, Moments> {
  return new Map([...moments].filter(([name]) => names.includes(name)));
}

/** What can be measured. */
export interface MeasurementPlan {
  /** The model without training mode. */
  readonly model: OnnxModel;
  readonly layers: readonly string[];
  /** The layers, those first that read nothing which another one of them changes. */
  readonly levels: readonly (readonly string[])[];
  readonly skipped: readonly SkippedLayer[];
  /** The states of the layers before. */
  readonly states: Readonly<Record<string, BatchNormJSON>>;
}

export async function planMeasurement(model: OnnxModel, wanted?: readonly string[]): Promise<MeasurementPlan> {
  const { model: frozen, report } = await freeze(model, { all: true });
  const [stubborn] = report.kept;
  if (stubborn !== undefined) {
    const expected = "a model whose training mode can be turned off";
    throw new BatchNormError("unsupported", "A layer would normalize with its batch while others are measured", stubborn.layer, expected);
  }
  const { matches, names, root } = (await analysed(frozen)).analysis;
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BatchNormError("invalid-argument", "The model has no such layer", unknown, names.slice(0, 8).join(", ") || "no layers");
  }
  const { states, unreadable } = await readStates(model);
  const skipped: SkippedLayer[] = [];
  const layers = new Map<Match, string>();
  for (const [k, match] of matches.entries()) {
    const layer = names[k];
    if (wanted !== undefined && !wanted.includes(layer)) continue;
    const why = unreadable.find((each) => each.layer === layer)?.why;
    const skip = why === undefined ? skipNested(root, match) : ({ code: "no-state", why } as const);
    if (skip === null) layers.set(match, layer);
    else skipped.push({ layer, ...skip });
  }
  if (layers.size === 0) {
    const received = skipped[0]?.why ?? "no batch normalization";
    throw new BatchNormError("cannot-convert", "The model has no layer to recalibrate", received, "layers with statistics in the file");
  }
  const levels = levelsOf(root, [...layers.keys()]).map((level) => level.map((match) => layers.get(match)!));
  return { model: frozen, layers: [...layers.values()], levels, skipped, states };
}

/** Moments of nothing, of as many channels as a state has (clause 19.1). */
export function noMoments(state: BatchNormJSON): Moments {
  const channels = fromJSON(state).state.statistics.movingMean.length;
  return { count: 0, mean: new Float64Array(channels), centeredSum: new Float64Array(channels) };
}

function reached(moments: Readonly<Record<string, Moments>>, names: readonly string[]): readonly string[] {
  return names.filter((name) => moments[name].count > 0);
}

/** The states with what was measured in place of their statistics. */
function newStates(
  states: Readonly<Record<string, BatchNormJSON>>,
  moments: Readonly<Record<string, Moments>>,
  names: readonly string[],
  estimator: VarianceEstimator,
): Record<string, BatchNormJSON> {
  return Object.fromEntries(
    names.map((name) => {
      const { config, state } = fromJSON(states[name]);
      return [name, toJSON(config, { parameters: state.parameters, statistics: finiteStatistics(name, moments[name], estimator) })];
    }),
  );
}

function finiteStatistics(layer: string, moments: Moments, estimator: VarianceEstimator): Statistics {
  const statistics = statisticsOf(moments, estimator);
  for (const [what, values] of Object.entries(statistics) as [string, Float32Array][]) {
    const channel = values.findIndex((value) => !Number.isFinite(value));
    if (channel >= 0) {
      const place = `${what} of channel ${channel} of the layer ${layer}`;
      throw new BatchNormError("non-finite", `The data gives no usable ${place}`, values[channel], "a finite number");
    }
  }
  return statistics;
}

/** Writes what was measured into the model, and compares it with what was there. */
export async function finish(
  model: OnnxModel,
  {
    states,
    skipped,
    moments,
    estimator,
  }: Pick<MeasurementPlan, "states" | "skipped"> & {
    readonly moments: Readonly<Record<string, Moments>>;
    readonly estimator: VarianceEstimator;
  },
): Promise<RecalibrateResult> {
  const names = Object.keys(moments);
  const measured = reached(moments, names);
  if (measured.length === 0) throw new BatchNormError("empty-batch", "No batch reached a layer", 0, "at least one");
  const fresh = newStates(states, moments, measured, estimator);
  const missed = names.filter((name) => !measured.includes(name));
  const notExecuted = missed.map((layer) => ({ layer, code: "not-executed", why: "No batch took the branch of the layer." }) as const);
  const { model: written } = await writeStates(model, fresh);
  const drift = Object.entries(fresh).map(([name, json]) => {
    const { config, state: before } = fromJSON(states[name]);
    return driftOf(name, before.statistics, fromJSON(json).state.statistics, config.epsilon);
  });
  return { model: written, moments, drift: drift.sort((a, b) => b.drift - a.drift), skipped: [...skipped, ...notExecuted] };
}
