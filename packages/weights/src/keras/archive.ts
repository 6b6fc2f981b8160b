import { type JsonObject, parseObject } from "../container/json.ts";
import type { ZipMember } from "../container/zip.ts";
import { invalidFile, unsupportedFormat } from "../errors.ts";
import { readHdf5 } from "../hdf5/file.ts";
import type { Framework, WeightLayer } from "../layer.ts";
import { configEntries } from "./config-tree.ts";
import { findStores, layersOfStores } from "./stores.ts";

export const WEIGHTS_FILE = "model.weights.h5";

/** The layers of a `.keras` archive: config.json says what they are, model.weights.h5 has their variables. */
export function readKerasArchive(members: ReadonlyMap<string, ZipMember>): WeightLayer[] {
  const config = parseObject("config.json", read(members, "config.json"));
  const metadata = parseObject("metadata.json", read(members, "metadata.json"));
  if (members.has("model.weights.npz")) {
    throw unsupportedFormat(
      "The weights in the .keras file are a NumPy archive",
      "model.weights.npz",
      "model.weights.h5, which Keras writes by default",
    );
  }
  return readKerasModel(config, metadata, read(members, WEIGHTS_FILE));
}

/** The same parts, in or out of an archive. `metadata` is null where there is none to ask. */
export function readKerasModel(config: JsonObject, metadata: JsonObject | null, weights: Uint8Array): WeightLayer[] {
  if (typeof config.class_name !== "string" || !("config" in config)) {
    throw invalidFile("config.json is not of a Keras model", config, "an object with class_name and config");
  }
  const framework = metadata === null ? "keras" : frameworkOf(metadata.keras_version);
  return layersOfStores(findStores(readHdf5(weights)), configEntries(config, framework), framework);
}

/** tf-keras counts on from Keras 2. */
export function frameworkOf(version: unknown): Framework | null {
  if (typeof version !== "string") return null;
  if (version.startsWith("tfjs")) return "tfjs";
  return /^[012]\./.test(version) ? "tf-keras" : "keras";
}

function read(members: ReadonlyMap<string, ZipMember>, name: string): Uint8Array {
  const member = members.get(name);
  if (member === undefined)
    throw invalidFile(`The .keras file has no ${name}`, [...members.keys()], "config.json, metadata.json and model.weights.h5");
  return member.read();
}
