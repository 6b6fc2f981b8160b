import { readHdf5 } from "../hdf5/file.ts";
import type { WeightLayer } from "../layer.ts";
import { findStoreGroups, layersOfStores, makeStore, type Store } from "./stores.ts";

/**
 * The layers of a `.weights.json` and its shards. The variables of a layer may lie in several of them, each with its number.
 *
 * @param shards The bytes of each shard, by file name.
 */
export function readShardedKeras(map: ReadonlyMap<string, readonly string[]>, shards: ReadonlyMap<string, Uint8Array>): WeightLayer[] {
  const byFile = new Map(
    Array.from(shards, ([file, bytes]) => [file, new Map(findStoreGroups(readHdf5(bytes)).map((group) => [group.path, group]))]),
  );
  const stores = Array.from(map, ([key, files]): Store => {
    // "/layers/dense/vars", and "/vars" for the model itself.
    const path = key.replace(/^\//, "").replace(/\/?vars$/, "");
    const parts = files.map((file) => byFile.get(file)?.get(path)).filter((part) => part !== undefined);
    const name = parts.map((part) => part.name).find((each) => each !== null) ?? null;
    const store = makeStore(
      path,
      name,
      parts.flatMap(({ members }) => [...members]),
    );
    // A shard that was full before the first variable may lack the group; with variables to spare nothing can be missing.
    const lacking = parts.length < files.length && store.variables.length < 4;
    return lacking ? { ...store, missing: `a shard of ${path}` } : store;
  });
  const framework = stores.some(({ name }) => name !== null) ? "keras" : null;
  return layersOfStores(stores, [], framework);
}
