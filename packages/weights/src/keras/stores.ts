import { invalidFile } from "../errors.ts";
import type { Hdf5Group } from "../hdf5/file.ts";
import { type Framework, makeLayer, type Recognition, type WeightLayer } from "../layer.ts";
import { type StoredTensor, typeNames } from "../tensor.ts";
import { readKerasConfig } from "./config.ts";
import { type ConfigEntry, isNorm } from "./config-tree.ts";
import { configOfOrdered, type OrderedVariables, readOrdered } from "./variables.ts";

/** The variables of one layer in a `.weights.h5`: a group `vars` with the members 0, 1, 2, ... */
export interface Store {
  /** The path of the group that `vars` is in. */
  readonly path: string;
  /** The layer's own name, which Keras 3 writes as an attribute; null where tf-keras or an early Keras 3 wrote the file. */
  readonly name: string | null;
  readonly variables: OrderedVariables;
  /** What seems to be missing among the variables; null where nothing does. */
  readonly missing: string | null;
}

/** What a layer of the class is called in a list of layers, or by itself. */
const NORM_GROUP = /^(sync_)?batch_normalization(_v\d)?(_\d+)?$/;
/** What people call it. */
const NORM_NAME = /(^|_)(bn|batch_?norm(alization)?)(_|\d|$)/i;
/** Optimizers and metrics keep vectors of one length, too: keras.metrics.AUC has four. */
const NOT_LAYERS = /(^|\/)(optimizer|loss|[^/]*metrics?)(\/|$)/;

/** A group `vars` as it is in one file. */
export interface StoreGroup {
  readonly path: string;
  readonly name: string | null;
  readonly members: ReadonlyMap<string, StoredTensor>;
}

/** All groups `vars` of a file, from the root down. */
export function findStoreGroups(root: Hdf5Group): StoreGroup[] {
  const found: StoreGroup[] = [];
  const walk = (group: Hdf5Group): void => {
    const vars = group.groups.get("vars");
    if (vars !== undefined) found.push({ path: group.path, name: vars.texts("name")?.[0] ?? null, members: vars.datasets });
    for (const [name, child] of group.groups) if (name !== "vars") walk(child);
  };
  walk(root);
  return found;
}

export function findStores(root: Hdf5Group): Store[] {
  return findStoreGroups(root).map(({ path, name, members }) => makeStore(path, name, members));
}

/** A store of the members 0, 1, 2, ..., in the order of their numbers. A layer that names its members itself is none of Keras's. */
export function makeStore(path: string, name: string | null, datasets: Iterable<readonly [string, StoredTensor]>): Store {
  const entries = Array.from(datasets, ([key, tensor]) => ({ index: /^\d{1,9}$/.test(key) ? Number(key) : -1, tensor }));
  entries.sort((a, b) => a.index - b.index);
  if (entries.some(({ index }) => index < 0)) return { path, name, variables: [], missing: null };
  const gap = entries.findIndex(({ index }, k) => index !== k);
  return { path, name, variables: entries.map(({ tensor }) => tensor), missing: gap < 0 ? null : `variable ${gap}` };
}

/**
 * The batch normalization layers among the stores: those of the config first, in its order, then those that only their name or
 * shape shows, as in models made by subclassing, whose config has no layers.
 */
export function layersOfStores(stores: readonly Store[], entries: readonly ConfigEntry[], framework: Framework | null): WeightLayer[] {
  const left = new Map(stores.map((store) => [store.path, store]));
  const layers: WeightLayer[] = [];
  for (const entry of entries.filter(isNorm)) {
    const store = takeStore(left, stores, entry);
    layers.push(layerOfEntry(entry, store, framework));
  }
  const builtIn = new Set(entries.filter((entry) => entry.builtIn && !isNorm(entry)).map(({ path }) => path));
  for (const store of left.values()) {
    if (builtIn.has(store.path) || NOT_LAYERS.test(store.path)) continue;
    const recognizedBy = recognize(store);
    if (recognizedBy !== null) layers.push(layerOfStore(store, recognizedBy, framework));
  }
  return layers;
}

/** The store at the path that the config gives, unless its name says otherwise; then the only one of that name. */
function takeStore(left: Map<string, Store>, stores: readonly Store[], entry: ConfigEntry): Store | undefined {
  // tf-keras 2.12 called the list of layers otherwise.
  const paths = [entry.path, entry.path.replaceAll("layers", "_layer_checkpoint_dependencies")];
  const atPath = paths.map((path) => left.get(path)).find((store) => store !== undefined && (store.name ?? entry.name) === entry.name);
  const named = stores.filter(({ name }) => name === entry.name);
  const store = atPath ?? (named.length === 1 ? left.get(named[0].path) : undefined);
  if (store !== undefined) left.delete(store.path);
  return store;
}

function layerOfEntry(entry: ConfigEntry, store: Store | undefined, framework: Framework | null): WeightLayer {
  const path = store?.path ?? entry.path;
  const facts = { name: entry.name, path, framework, recognizedBy: "config", storedAs: typeNames(store?.variables ?? []) } as const;
  return makeLayer(
    facts,
    () => readKerasConfig(entry.json, framework),
    (config) => {
      if (store === undefined) throw invalidFile("The layer of the config has no variables in the file", entry.path, "a group with vars");
      checkComplete(store);
      return readOrdered(store.variables, config);
    },
  );
}

function checkComplete({ missing }: Store): void {
  if (missing !== null) throw invalidFile("Variables of the layer are missing", missing, "all variables of the layer");
}

function layerOfStore(store: Store, recognizedBy: Recognition, framework: Framework | null): WeightLayer {
  const name = store.name ?? store.path.slice(store.path.lastIndexOf("/") + 1);
  return makeLayer(
    { name, path: store.path, framework, recognizedBy, storedAs: typeNames(store.variables) },
    () => {
      checkComplete(store);
      return configOfOrdered(store.variables, framework);
    },
    (config) => readOrdered(store.variables, config),
  );
}

function recognize({ path, name, variables }: Store): Recognition | null {
  const group = path.slice(path.lastIndexOf("/") + 1);
  if (NORM_GROUP.test(group) || (name !== null && NORM_GROUP.test(name))) return "name";
  const [first] = variables;
  const alike = variables.length > 1 && variables.every(({ shape }) => shape.length === 1 && shape[0] === first.shape[0]);
  if (!alike) return null;
  if (NORM_NAME.test(group) || (name !== null && NORM_NAME.test(name))) return "name";
  // Two vectors are a layer normalization's; three and four no other layer of Keras has.
  return variables.length === 3 || variables.length === 4 ? "shape" : null;
}
