import { BatchNormError } from "@batchnorm/spec";
import type { Moments } from "@batchnorm/spec/moments";
import { faultOfLayers, fromLayerMoments, type LayerMoments, toLayerMoments } from "./layer-moments.ts";

const FORMAT = "batchnorm-checkpoint";
const VERSION = 1;

/**
 * How far a measurement got, as plain data: what was stopped goes on from here, and its result has the same bits as if it
 * had not been stopped.
 */
export interface Checkpoint {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** SHA-256 of the model. */
  readonly model: string;
  /** What is measured: the options, and what the caller said of the data. */
  readonly task: string;
  /** Passes over the data that are complete. */
  readonly pass: number;
  /** Batches of the pass at hand that are measured. */
  readonly batches: number;
  /** What was measured: of layers of complete passes, and of those of the pass at hand so far. */
  readonly layers: readonly LayerMoments[];
}

export function newCheckpoint(
  place: Pick<Checkpoint, "model" | "task" | "pass" | "batches">,
  moments: Iterable<readonly [string, Moments]>,
): Checkpoint {
  return { format: FORMAT, version: VERSION, ...place, layers: [...moments].map(([name, each]) => toLayerMoments(name, each)) };
}

/**
 * A checkpoint that was read from somewhere, with its moments by layer.
 *
 * @throws BatchNormError `invalid-json` for anything else; `invalid-argument` for that of another model or measurement.
 */
export function checkedCheckpoint(
  value: unknown,
  wanted: Pick<Checkpoint, "model" | "task">,
): { readonly pass: number; readonly batches: number; readonly moments: ReadonlyMap<string, Moments> } {
  const refuse = (what: string, received: unknown): never => {
    throw new BatchNormError("invalid-json", `The checkpoint is wrong: ${what}`, received, "what recalibrate gave");
  };
  const { format, version, model, task, pass, batches, layers } = (typeof value === "object" ? (value ?? {}) : {}) as Record<
    string,
    unknown
  >;
  if (format !== FORMAT || version !== VERSION) refuse("format or version", `${format} ${version}`);
  const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0;
  if (!isCount(pass) || !isCount(batches)) return refuse("pass or batches", [pass, batches]);
  const fault = faultOfLayers(layers);
  if (fault !== null) refuse(fault.what, fault.received);
  if (model !== wanted.model) throw new BatchNormError("invalid-argument", "The checkpoint is of another model", model, wanted.model);
  if (task !== wanted.task) {
    throw new BatchNormError("invalid-argument", "The checkpoint is of other data or options", task, wanted.task);
  }
  return { pass, batches, moments: new Map((layers as LayerMoments[]).map((layer) => [layer.name, fromLayerMoments(layer)])) };
}
