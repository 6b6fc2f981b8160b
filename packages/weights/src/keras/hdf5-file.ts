import { parseObject } from "../container/json.ts";
import { invalidFile } from "../errors.ts";
import { type Hdf5Group, readHdf5 } from "../hdf5/file.ts";
import type { WeightLayer } from "../layer.ts";
import { frameworkOf } from "./archive.ts";
import { configEntries } from "./config-tree.ts";
import { findNamedStores, layersOfNamedStores } from "./legacy.ts";
import { findStores, layersOfStores } from "./stores.ts";

/** The two ways in which Keras has used HDF5. */
export type Hdf5Kind = "legacy-h5" | "weights-h5";

/** The layers of an HDF5 file: a legacy `.h5` of a model or of weights alone, or a `.weights.h5`. */
export function readHdf5File(bytes: Uint8Array): { readonly kind: Hdf5Kind; readonly layers: WeightLayer[] } {
  const root = readHdf5(bytes);
  const stores = findStores(root);
  // A legacy file names its layers in an attribute, where there are many in several: layer_names0, layer_names1, ...
  const weights = root.groups.get("model_weights") ?? root;
  const legacy = ["layer_names", "layer_names0"].some((name) => weights.texts(name) !== null);
  if (legacy) return { kind: "legacy-h5", layers: readLegacy(root, weights) };
  if (stores.length === 0)
    throw invalidFile("The HDF5 file is not of a Keras model", [...root.groups.keys()], "groups named vars or layer_names");
  const framework = stores.some(({ name }) => name !== null) ? "keras" : null;
  return { kind: "weights-h5", layers: layersOfStores(stores, [], framework) };
}

function readLegacy(root: Hdf5Group, weights: Hdf5Group): WeightLayer[] {
  const framework = frameworkOf((root.texts("keras_version") ?? weights.texts("keras_version"))?.[0]);
  const text = root.texts("model_config")?.[0];
  const entries = text === undefined ? [] : configEntries(parseObject("model_config", text), framework);
  return layersOfNamedStores(findNamedStores(weights), entries, framework);
}
