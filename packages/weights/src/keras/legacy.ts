import { invalidFile } from "../errors.ts";
import type { Hdf5Group } from "../hdf5/file.ts";
import { type Framework, makeLayer, type WeightLayer } from "../layer.ts";
import { type StoredTensor, typeNames } from "../tensor.ts";
import { readKerasConfig } from "./config.ts";
import { type ConfigEntry, isNorm } from "./config-tree.ts";
import { configOfNamed, type NamedVariables, readNamed } from "./variables.ts";

/** Variables of one layer that are found by their names: in a legacy `.h5`, and in a tfjs model. */
export interface NamedStore {
  /** The names of the models and layers around them, joined by slashes; the layer's own comes last. */
  readonly path: string;
  readonly variables: NamedVariables;
}

const STATISTICS = ["moving_mean", "moving_variance"];

/** Groups of a legacy `.h5` that hold one of the statistics. */
export function findNamedStores(root: Hdf5Group): NamedStore[] {
  const stores: NamedStore[] = [];
  const walk = (group: Hdf5Group): void => {
    const variables = new Map(Array.from(group.datasets, ([name, tensor]): [string, StoredTensor] => [name.replace(/:0$/, ""), tensor]));
    if (STATISTICS.some((name) => variables.has(name))) stores.push({ path: group.path, variables });
    for (const child of group.groups.values()) walk(child);
  };
  walk(root);
  return stores;
}

/** The layers of named variables, each with its config where the file has one for it; then those of the config that have no variables. */
export function layersOfNamedStores(
  stores: readonly NamedStore[],
  entries: readonly ConfigEntry[],
  framework: Framework | null,
): WeightLayer[] {
  const found = stores.map((store) => ({ store, entry: findEntry(store.path.split("/"), entries) }));
  const place = (entry: ConfigEntry | null): number => (entry === null ? entries.length : entries.indexOf(entry));
  found.sort((a, b) => place(a.entry) - place(b.entry));
  const layers = found.map(({ store, entry }) => layerOf(store, entry, framework));
  // Where variables are left without a config, they may be those of the layers that seem to have none.
  if (found.some(({ entry }) => entry === null)) return layers;
  const used = new Set(found.map(({ entry }) => entry));
  return [...layers, ...entries.filter((entry) => isNorm(entry) && !used.has(entry)).map((entry) => layerWithout(entry, framework))];
}

function layerOf({ path, variables }: NamedStore, entry: ConfigEntry | null, framework: Framework | null): WeightLayer {
  const facts = {
    name: entry?.name ?? path.slice(path.lastIndexOf("/") + 1),
    path,
    framework,
    recognizedBy: entry === null ? "name" : "config",
    storedAs: typeNames(variables.values()),
  } as const;
  return makeLayer(
    facts,
    () => (entry === null ? configOfNamed(variables, framework) : readKerasConfig(entry.json, framework)),
    (config) => readNamed(variables, config),
  );
}

function layerWithout(entry: ConfigEntry, framework: Framework | null): WeightLayer {
  return makeLayer(
    { name: entry.name, path: entry.path, framework, recognizedBy: "config", storedAs: "" },
    () => readKerasConfig(entry.json, framework),
    () => {
      throw invalidFile("The layer of the config has no variables in the file", entry.name, "its moving_mean and moving_variance");
    },
  );
}

/**
 * The layer of the config that the names lead to: the one of the last name, or the only one within it (tf-keras leaves out the layer
 * that TimeDistributed wraps); among several, the one in the model that comes first in the path.
 */
function findEntry(names: readonly string[], entries: readonly ConfigEntry[]): ConfigEntry | null {
  const last = names.at(-1)!;
  const own = entries.filter((entry) => isNorm(entry) && entry.name === last);
  const inside = entries.filter((entry) => isNorm(entry) && entry.ancestors.includes(last));
  const candidates = own.length > 0 ? own : inside;
  if (candidates.length <= 1) return candidates[0] ?? null;
  // The first ancestor is the model itself, whose name is not in the path of its own layers.
  const around = (entry: ConfigEntry): number => entry.ancestors.slice(1).filter((name) => names.includes(name)).length;
  const foreign = (entry: ConfigEntry): number => entry.ancestors.slice(1).filter((name) => !names.includes(name)).length;
  const ranked = candidates.sort((a, b) => around(b) - around(a) || foreign(a) - foreign(b));
  const [best, second] = ranked;
  return around(best) === around(second) && foreign(best) === foreign(second) ? null : best;
}
