import type { ReadCompanion } from "../container/companion.ts";
import { isObject, type JsonObject } from "../container/json.ts";
import { unsupportedFormat } from "../errors.ts";
import { configEntries } from "../keras/config-tree.ts";
import { layersOfNamedStores, type NamedStore } from "../keras/legacy.ts";
import type { WeightLayer } from "../layer.ts";
import type { StoredTensor } from "../tensor.ts";
import { layersOfGraph } from "./graph.ts";
import { readManifest } from "./manifest.ts";

export type TfjsKind = "tfjs-layers-model" | "tfjs-graph-model";

/** The layers of a tfjs `model.json` and its shards. */
export async function readTfjsModel(
  model: JsonObject,
  read: ReadCompanion | undefined,
): Promise<{ readonly kind: TfjsKind; readonly layers: WeightLayer[] }> {
  const topology = model.modelTopology;
  const tensors = await readManifest(model.weightsManifest, read);
  // Old converters wrote no format.
  const isGraph = model.format === "graph-model" || (isObject(topology) && Array.isArray(topology.node));
  if (isGraph) return { kind: "tfjs-graph-model", layers: layersOfGraph(isObject(topology) ? topology : {}, tensors) };
  if (model.format !== undefined && model.format !== "layers-model") {
    throw unsupportedFormat("The tfjs model is of another kind", model.format, "layers-model or graph-model");
  }
  const config = isObject(topology) && isObject(topology.model_config) ? topology.model_config : topology;
  const entries = isObject(config) ? configEntries(config, "tfjs") : [];
  return { kind: "tfjs-layers-model", layers: layersOfNamedStores(storesOf(tensors), entries, "tfjs") };
}

/** By name, not by place: all trainable weights come first. */
function storesOf(tensors: ReadonlyMap<string, StoredTensor>): NamedStore[] {
  const stores = new Map<string, Map<string, StoredTensor>>();
  for (const [name, tensor] of tensors) {
    const slash = name.lastIndexOf("/");
    const path = name.slice(0, Math.max(0, slash));
    const variables = stores.get(path) ?? new Map<string, StoredTensor>();
    stores.set(path, variables.set(name.slice(slash + 1), tensor));
  }
  return Array.from(stores, ([path, variables]) => ({ path, variables })).filter(
    ({ variables }) => variables.has("moving_mean") || variables.has("moving_variance"),
  );
}
