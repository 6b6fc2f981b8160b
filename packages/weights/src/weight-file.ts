import { type BatchNormJSON, toJSON } from "@batchnorm/spec/convert";
import type { ConfigKey, Framework, Recognition, WeightLayer } from "./layer.ts";

/** A format of a weight file, as it was recognized by its content. */
export type WeightFormat =
  | "keras" // a `.keras` archive, of Keras 3 or tf-keras
  | "keras-folder" // the same files, saved with zipped=False
  | "legacy-h5" // a `.h5` with named variables, of a model or of weights alone
  | "weights-h5" // a `.weights.h5`
  | "sharded-weights-h5" // a `.weights.json` and its shards
  | "safetensors"
  | "sharded-safetensors" // a `.safetensors.index.json` and its shards
  | "tfjs-layers-model"
  | "tfjs-graph-model";

/** The batch normalization layers of a weight file. */
export interface WeightFile {
  readonly format: WeightFormat;
  /** In the order of the config where the file has one, otherwise in the file's own. */
  readonly layers: readonly WeightLayer[];
  /** Plain objects, for `JSON.stringify`: states in the portable form (clause 15.1). */
  toJSON(): WeightFileJSON;
}

export interface WeightFileJSON {
  readonly format: WeightFormat;
  readonly layers: readonly WeightLayerJSON[];
}

export interface WeightLayerJSON {
  readonly name: string;
  readonly path: string;
  readonly framework: Framework | null;
  readonly recognizedBy: Recognition;
  readonly storedAs: string;
  readonly assumed: readonly ConfigKey[];
  /** Config and state; null where the state cannot be read. */
  readonly layer: BatchNormJSON | null;
  readonly reason: { readonly code: string; readonly message: string } | null;
}

export function makeWeightFile(format: WeightFormat, layers: readonly WeightLayer[]): WeightFile {
  return { format, layers, toJSON: () => ({ format, layers: layers.map(layerToJSON) }) };
}

function layerToJSON(layer: WeightLayer): WeightLayerJSON {
  const { name, path, framework, recognizedBy, storedAs, assumed, reason } = layer;
  return {
    name,
    path,
    framework,
    recognizedBy,
    storedAs,
    assumed,
    layer: layer.state === null ? null : toJSON(layer.config, layer.state),
    reason: reason === null ? null : { code: reason.code, message: reason.message },
  };
}
