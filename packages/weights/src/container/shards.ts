import { invalidFile } from "../errors.ts";
import { isObject, type JsonObject } from "./json.ts";

/**
 * Where the parts of a sharded model lie: for each key (a group of HDF5, or a tensor of safetensors) the files that hold it.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function readWeightMap(index: JsonObject): Map<string, readonly string[]> {
  if (!isObject(index.weight_map)) throw invalidFile("The index of the shards has no weight_map", index, "an object weight_map");
  return new Map(
    Object.entries(index.weight_map).map(([key, value]): [string, readonly string[]] => {
      const files: unknown[] = Array.isArray(value) ? value : [value];
      if (files.length === 0 || !files.every((file) => typeof file === "string")) {
        throw invalidFile(`The shard of ${key.slice(0, 80)} is no file name`, value, "a file name, or a list of them");
      }
      return [key, files as string[]];
    }),
  );
}

/** Each file of a weight map, once. */
export function shardFiles(map: ReadonlyMap<string, readonly string[]>): string[] {
  return [...new Set([...map.values()].flat())];
}
