import { basename } from "node:path";
import type { BatchNormJSON } from "@batchnorm/spec/convert";
import { readWeightsFile } from "@batchnorm/weights/node";

/** The states of a weight file that can be read, by name. */
export interface WeightStates {
  readonly name: string;
  readonly format: string;
  readonly states: Readonly<Record<string, BatchNormJSON>>;
  readonly unreadable: readonly { readonly layer: string; readonly code: string; readonly why: string }[];
}

/** Layers of nested models may share a name: they go by their path then. */
export async function readWeightStates(path: string): Promise<WeightStates> {
  const { format, layers } = (await readWeightsFile(path)).toJSON();
  const counts = new Map<string, number>();
  for (const { name } of layers) counts.set(name, (counts.get(name) ?? 0) + 1);
  const keyOf = (layer: { readonly name: string; readonly path: string }): string =>
    counts.get(layer.name) === 1 ? layer.name : layer.path;
  return {
    name: basename(path),
    format,
    states: Object.fromEntries(layers.flatMap((each) => (each.layer === null ? [] : [[keyOf(each), each.layer]]))),
    unreadable: layers.flatMap((each) =>
      each.reason === null ? [] : [{ layer: keyOf(each), code: each.reason.code, why: each.reason.message }],
    ),
  };
}
