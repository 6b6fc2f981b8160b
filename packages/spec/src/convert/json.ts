import { DEFAULT_CONFIG, resolveConfig } from "../config.ts";
import { type BatchNormConfig, type BatchNormState, SPEC_VERSION, type StateInput } from "../contract.ts";
import { BatchNormError } from "../errors.ts";
import { isRecord, rejectUnknownKeys, requireKeys } from "../objects.ts";
import { resolveState } from "../state.ts";
import { type JSONFloat32, readFloat32, writeFloat32 } from "./json-float32.ts";

const FORMAT = "batchnorm";

/** A config and a state as a plain object (clause 15.1), for `JSON.stringify`. Every list is `[channels]`; every field is always there. */
export interface BatchNormJSON {
  readonly format: "batchnorm";
  readonly specVersion: 1;
  readonly config: BatchNormConfig;
  readonly channels: number;
  readonly parameters: { readonly gamma: readonly JSONFloat32[] | null; readonly beta: readonly JSONFloat32[] | null };
  readonly statistics: { readonly movingMean: readonly JSONFloat32[]; readonly movingVariance: readonly JSONFloat32[] };
}

/** A config and a state that belong together. */
export interface ConfigAndState {
  readonly config: BatchNormConfig;
  readonly state: BatchNormState;
}

/**
 * A layer as a plain object. `fromJSON(JSON.parse(JSON.stringify(toJSON(config, state))))` gives back the state bit for bit
 * (clause 15.2).
 *
 * @throws BatchNormError what `resolveConfig` and `resolveState` throw.
 */
export function toJSON(config: BatchNormConfig, state: StateInput): BatchNormJSON {
  const resolved = resolveConfig(config);
  const { parameters, statistics } = resolveState(resolved, state);
  return {
    format: FORMAT,
    specVersion: SPEC_VERSION,
    config: resolved,
    channels: statistics.movingMean.length,
    parameters: { gamma: parameters.gamma && writeFloat32(parameters.gamma), beta: parameters.beta && writeFloat32(parameters.beta) },
    statistics: { movingMean: writeFloat32(statistics.movingMean), movingVariance: writeFloat32(statistics.movingVariance) },
  };
}

/**
 * Reads what `toJSON` wrote, after `JSON.parse`. Nothing is filled in and nothing is rounded: a field that is missing, or a
 * number that float32 does not hold exactly, is an error (clauses 15.2 and 15.3).
 *
 * @throws BatchNormError `invalid-json`, `wrong-version`, `wrong-length`, and what `resolveConfig` and `resolveState` throw.
 */
export function fromJSON(value: unknown): ConfigAndState {
  checkHeader(value);
  checkKeys("The serialized layer", value, ["format", "specVersion", "config", "channels", "parameters", "statistics"]);
  const { config, channels, parameters, statistics } = value;
  checkConfigTypes(config);
  checkKeys("parameters", parameters, ["gamma", "beta"]);
  checkKeys("statistics", statistics, ["movingMean", "movingVariance"]);
  if (!Number.isSafeInteger(channels) || (channels as number) < 1) {
    throw new BatchNormError("invalid-json", "channels is not a number of channels", channels, "a positive integer");
  }
  const read = (name: string, list: unknown): Float32Array => {
    const values = readFloat32(name, list);
    if (values.length !== channels) {
      throw new BatchNormError("wrong-length", `${name} has the wrong length`, values.length, `${channels}, the number of channels`);
    }
    return values;
  };
  const resolved = resolveConfig(config as Partial<BatchNormConfig>);
  const { gamma, beta } = parameters;
  const state = resolveState(resolved, {
    parameters: { gamma: gamma === null ? null : read("gamma", gamma), beta: beta === null ? null : read("beta", beta) },
    statistics: {
      movingMean: read("movingMean", statistics.movingMean),
      movingVariance: read("movingVariance", statistics.movingVariance),
    },
  });
  return { config: resolved, state };
}

/** The format and its version come first: only they say what the other fields mean. */
function checkHeader(value: unknown): void {
  if (!isRecord(value)) {
    throw new BatchNormError("invalid-json", "The serialized layer is not an object", value, "what JSON.parse made of the written text");
  }
  if (value.format !== FORMAT) throw new BatchNormError("invalid-json", "format names something else", value.format, `"${FORMAT}"`);
  if (value.specVersion !== SPEC_VERSION) {
    throw new BatchNormError(
      "wrong-version",
      "The serialized layer is of another version",
      value.specVersion,
      `specVersion ${SPEC_VERSION}`,
    );
  }
}

/** Types are a matter of the form, ranges and allowed values of the config: those are left to `resolveConfig`. */
function checkConfigTypes(config: unknown): void {
  checkKeys("config", config, Object.keys(DEFAULT_CONFIG));
  for (const [key, example] of Object.entries(DEFAULT_CONFIG)) {
    const value = config[key];
    if (typeof value !== typeof example) {
      throw new BatchNormError("invalid-json", `config.${key} has the wrong type`, value, `a ${typeof example}`);
    }
  }
}

function checkKeys(what: string, value: unknown, keys: readonly string[]): asserts value is Record<string, unknown> {
  rejectUnknownKeys("invalid-json", what, value, keys);
  requireKeys("invalid-json", what, value, keys);
}
