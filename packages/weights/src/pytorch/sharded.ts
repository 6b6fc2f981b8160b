import { invalidFile } from "../errors.ts";
import type { StoredTensor } from "../tensor.ts";
import { readSafetensors } from "./safetensors.ts";

/**
 * The tensors of several safetensors files as one `state_dict`, in the order of the index.
 *
 * @throws BatchNormError `invalid-file` when one is not where the index says.
 */
export function joinShards(
  map: ReadonlyMap<string, readonly string[]>,
  shards: ReadonlyMap<string, Uint8Array>,
): Map<string, StoredTensor> {
  const byFile = new Map(Array.from(shards, ([file, bytes]) => [file, readSafetensors(bytes)]));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, files] of map) {
    const tensor = byFile.get(files[0])?.get(name);
    if (tensor === undefined) throw invalidFile("A tensor of the index is not in its shard", name, `a tensor in ${files[0].slice(0, 80)}`);
    tensors.set(name, tensor);
  }
  return tensors;
}
