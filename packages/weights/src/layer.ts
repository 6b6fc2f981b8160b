import { type BatchNormConfig, BatchNormError, type BatchNormState, isBatchNormError } from "@batchnorm/spec";

/** Who wrote the file. tfjs's converter keeps the layers of the model that it converts; they are called tfjs's all the same. */
export type Framework = "keras" | "tf-keras" | "pytorch" | "tfjs";

/**
 * Why a layer is taken for a batch normalization: the file has its config or its graph, or variables have the names that only it has;
 * or only its own name says so; or it merely has four vectors of one length, as no layer of Keras but this has.
 */
export type Recognition = "config" | "name" | "shape";

/** A field of the config that a file can hold. */
export type ConfigKey = Exclude<keyof BatchNormConfig, "nonFinite">;

/** What is known of a layer, whether its state can be read or not. */
export interface LayerFacts {
  /** The layer's own name. Layers of different nested models may share one. */
  readonly name: string;
  /** Where it is in the file: groups of HDF5, or the prefix of its variables. No two layers have the same. */
  readonly path: string;
  /** Null where both Kerases may have written it. */
  readonly framework: Framework | null;
  readonly recognizedBy: Recognition;
  /** The types of its variables in the file, such as `float32`. Everything is read as float32, exactly. */
  readonly storedAs: string;
}

/** A layer whose state was read. */
export interface ReadLayer extends LayerFacts {
  /** Complete: what the file does not say is what the framework takes by default. */
  readonly config: BatchNormConfig;
  /** The fields of the config that the file does not say. */
  readonly assumed: readonly ConfigKey[];
  readonly state: BatchNormState;
  readonly reason: null;
}

/** A layer that is there and whose state cannot be read. */
export interface UnreadLayer extends LayerFacts {
  /** Null where it cannot be read either. */
  readonly config: BatchNormConfig | null;
  readonly assumed: readonly ConfigKey[];
  readonly state: null;
  readonly reason: BatchNormError;
}

export type WeightLayer = ReadLayer | UnreadLayer;

/** A config and which of its fields are assumed. */
export interface ConfigFromFile {
  readonly config: BatchNormConfig;
  readonly assumed: readonly ConfigKey[];
}

/** Reads config and state; an error of one of them is the layer's, not the file's. */
export function makeLayer(
  facts: LayerFacts,
  readConfig: () => ConfigFromFile,
  readState: (config: BatchNormConfig) => BatchNormState,
): WeightLayer {
  let config: BatchNormConfig | null = null;
  let assumed: readonly ConfigKey[] = [];
  try {
    ({ config, assumed } = readConfig());
    return { ...facts, config, assumed, state: readState(config), reason: null };
  } catch (error) {
    return { ...facts, config, assumed, state: null, reason: reasonOf(error) };
  }
}

/** Another error than ours is a mistake of this package, and not to be hidden in a layer. */
function reasonOf(error: unknown): BatchNormError {
  if (isBatchNormError(error)) return error;
  throw error;
}

export function cannotConvert(what: string, received: unknown, expected: string): BatchNormError {
  return new BatchNormError("cannot-convert", what, received, expected);
}
