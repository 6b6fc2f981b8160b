import { BatchNormError } from "@batchnorm/spec";
import { plainBytes } from "./container/bytes.ts";
import { type ReadCompanion, readCompanionFile } from "./container/companion.ts";
import { isObject, type JsonObject, parseObject } from "./container/json.ts";
import { readWeightMap, shardFiles } from "./container/shards.ts";
import { sniff } from "./container/sniff.ts";
import { readZip } from "./container/zip.ts";
import { invalidFile, unsupportedFormat } from "./errors.ts";
import { readKerasArchive, readKerasModel, WEIGHTS_FILE } from "./keras/archive.ts";
import { readHdf5File } from "./keras/hdf5-file.ts";
import { readShardedKeras } from "./keras/sharded.ts";
import { readSafetensors } from "./pytorch/safetensors.ts";
import { joinShards } from "./pytorch/sharded.ts";
import { layersOfStateDict } from "./pytorch/state-dict.ts";
import { readTfjsModel } from "./tfjs/model.ts";
import { makeWeightFile, type WeightFile } from "./weight-file.ts";

export interface ReadWeightsOptions {
  /** Reads a file beside the one that is read: a shard, or the weights of a `model.json`. Only some formats ask for one. */
  readonly readCompanion?: ReadCompanion;
}

/** What to do with a file of `torch.save`, which is a pickle: a program, not data. */
const SAFETENSORS_RECIPE =
  'safetensors, which Python writes with `safetensors.torch.save_file(torch.load("x.pt", weights_only=True), "x.safetensors")`';

/**
 * Every batch normalization layer in a weight file, with its state. The format is recognized by its content:
 *
 * - Keras 3 and tf-keras: `.keras`, legacy `.h5` (a model, or weights alone), `.weights.h5`, `.weights.json` with its shards, and
 *   the `config.json` of a model that was saved as a folder;
 * - PyTorch: `.safetensors`, and `.safetensors.index.json` with its shards;
 * - TensorFlow.js: `model.json` with its shards, a layers model or a graph model.
 *
 * A layer whose state cannot be read is in the list with the reason.
 *
 * @param bytes The whole file. Nothing of it is kept.
 * @throws BatchNormError `invalid-file` for a file that is damaged or none of these, `unsupported-format` for one that is known and not
 * read, `invalid-argument` where a companion file is needed and cannot be asked for.
 */
export async function readWeights(bytes: Uint8Array, options: ReadWeightsOptions = {}): Promise<WeightFile> {
  const plain = plainBytes(bytes);
  if (plain === null) throw new BatchNormError("invalid-argument", "The file is not given as bytes", bytes, "a Uint8Array");
  return readPlain(plain, options);
}

async function readPlain(bytes: Uint8Array, { readCompanion }: ReadWeightsOptions): Promise<WeightFile> {
  switch (sniff(bytes)) {
    case "hdf5": {
      const { kind, layers } = readHdf5File(bytes);
      return makeWeightFile(kind, layers);
    }
    case "zip":
      return readArchive(bytes);
    case "safetensors":
      return makeWeightFile("safetensors", layersOfStateDict(readSafetensors(bytes)));
    case "json":
      return readJson(parseObject("The file", bytes), readCompanion);
    case "pickle":
      throw unsupportedFormat("The file is a pickle", "a pickle", SAFETENSORS_RECIPE);
    default:
      throw invalidFile("The file has none of the known formats", bytes.subarray(0, 8), "a weight file of Keras, PyTorch or TensorFlow.js");
  }
}

function readArchive(bytes: Uint8Array): WeightFile {
  const members = readZip(bytes);
  const names = [...members.keys()];
  if (members.has("config.json")) return makeWeightFile("keras", readKerasArchive(members));
  if (names.some((name) => /(^|\/)data\.pkl$/.test(name))) {
    throw unsupportedFormat("The file is a pickle in a zip archive, of torch.save", "data.pkl", SAFETENSORS_RECIPE);
  }
  throw invalidFile("The zip archive is not a .keras file", names, "an archive with config.json");
}

async function readJson(json: JsonObject, read: ReadCompanion | undefined): Promise<WeightFile> {
  if ("weightsManifest" in json) {
    const { kind, layers } = await readTfjsModel(json, read);
    return makeWeightFile(kind, layers);
  }
  if ("weight_map" in json) return readShards(json, read);
  if ("class_name" in json && isObject(json.config)) {
    return makeWeightFile("keras-folder", readKerasModel(json, null, await readCompanionFile(read, WEIGHTS_FILE)));
  }
  throw invalidFile("The JSON file is none of a model", json, "a tfjs model.json, an index of shards or a Keras config.json");
}

async function readShards(index: JsonObject, read: ReadCompanion | undefined): Promise<WeightFile> {
  const map = readWeightMap(index);
  const shards = new Map<string, Uint8Array>();
  for (const file of shardFiles(map)) shards.set(file, await readCompanionFile(read, file));
  const containers = new Set(Array.from(shards.values(), sniff));
  const [container] = containers;
  if (containers.size === 1 && container === "hdf5") return makeWeightFile("sharded-weights-h5", readShardedKeras(map, shards));
  if (containers.size === 1 && container === "safetensors")
    return makeWeightFile("sharded-safetensors", layersOfStateDict(joinShards(map, shards)));
  throw invalidFile("The shards are not all of one known format", [...containers], "HDF5 or safetensors");
}
