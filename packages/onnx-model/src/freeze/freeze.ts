import { BatchNormError } from "@batchnorm/spec";
import { Draft } from "../edit/draft.ts";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import { analyse } from "../find/matches.ts";
import { type FreezeReason, freezeOperator } from "./operator.ts";

/**
 * Which layers to freeze: by name, or all. One of the two has to be said, since models that want training mode exist.
 */
export type FreezeOptions = { readonly layers: readonly string[] } | { readonly all: true };

export interface FrozenLayer {
  readonly layer: string;
  readonly scope: string;
  /** Outputs of the graph that carried running statistics, and are gone. */
  readonly removedOutputs: readonly string[];
}

export interface UnfrozenLayer {
  readonly layer: string;
  readonly scope: string;
  readonly code: FreezeReason;
  readonly why: string;
}

export interface FreezeResult {
  readonly model: OnnxModel;
  readonly report: {
    readonly frozen: readonly FrozenLayer[];
    /** Layers that were in inference mode before. */
    readonly unchanged: readonly string[];
    readonly kept: readonly UnfrozenLayer[];
  };
}

/**
 * Turns training mode off: the layer then normalizes with the moving statistics of the file. Outputs for running
 * statistics go, and where a node reads one it gets the moving statistic instead, which is what a frozen layer leaves
 * there. The model that is given is not changed.
 *
 * @throws BatchNormError `invalid-argument` without `layers` or `all`, with both, or with a name that the model does
 * not have; what `find` throws.
 */
export async function freeze(model: OnnxModel, options: FreezeOptions): Promise<FreezeResult> {
  const wanted = checkOptions(options);
  return complete(model, () => freezeAll(model, wanted));
}

function checkOptions(options: unknown): readonly string[] | null {
  const { layers, all, ...rest } = (typeof options === "object" ? (options ?? {}) : {}) as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new BatchNormError("invalid-argument", "freeze has no such option", unknown, "layers or all");
  const byName = Array.isArray(layers) && layers.every((name) => typeof name === "string");
  if (all === true && layers === undefined) return null;
  if (byName && all === undefined) return layers as string[];
  throw new BatchNormError(
    "invalid-argument",
    "freeze has to be told which layers",
    options,
    "{ all: true }, or { layers } with their names",
  );
}

function freezeAll(model: OnnxModel, wanted: readonly string[] | null): FreezeResult {
  const draft = new Draft(model.proto);
  const analysis = analyse(draft.proto, model.external);
  const { matches, names, root } = analysis;
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BatchNormError("invalid-argument", "The model has no such layer", unknown, names.slice(0, 8).join(", ") || "no layers");
  }
  const frozen: FrozenLayer[] = [];
  const unchanged: string[] = [];
  const kept: UnfrozenLayer[] = [];
  for (const [k, match] of matches.entries()) {
    const layer = names[k];
    if (wanted !== null && !wanted.includes(layer)) continue;
    const about = { layer, scope: match.scope.path };
    if (match.mode === "inference") unchanged.push(layer);
    else if (match.form !== "BatchNormalization") {
      kept.push({
        ...about,
        code: "no-statistics",
        why: "The layer computes mean and variance from the batch, and the file has no moving ones.",
      });
    } else {
      const result = freezeOperator(draft, root, match);
      if ("code" in result) kept.push({ ...about, ...result });
      else frozen.push({ ...about, ...result });
    }
  }
  draft.removeUnused();
  return { model: { proto: draft.proto, external: model.external }, report: { frozen, unchanged, kept } };
}
