import { resolveConfig } from "../config.ts";
import type { BatchNormConfig, VarianceEstimator } from "../contract.ts";
import { BatchNormError } from "../errors.ts";
import { isRecord, rejectUnknownKeys, requireKeys } from "../objects.ts";
import { requireEstimator } from "./expressible.ts";

/** What a Keras layer has that the contract does not, kept so that `toKerasConfig` loses nothing. It is JSON itself. */
export interface KerasOutside {
  /** The other keys of `get_config()`, as they were: name, dtype, initializers, regularizers, constraints, synchronized, ... */
  readonly config: Readonly<Record<string, unknown>>;
  /** tf-keras writes the axis of a built layer as a list of one. (Keras 3 does not read that.) */
  readonly axisAsList: boolean;
  /** What a saved model has around the config: class_name, module, build_config, inbound_nodes, ...; null for a bare config. */
  readonly wrapper: Readonly<Record<string, unknown>> | null;
}

/** What only the caller knows about the Keras on the other side. */
export interface KerasOptions {
  /**
   * What that Keras puts into moving_variance; no config says it. Default 'population', which is right for Keras 3, for
   * tfjs, and for most layers of tf-keras. 'sample' is right for the layers that tf-keras runs on its fused kernel: rank 4
   * with axis 1 or 3, and rank 5 with axis 1 or 4.
   */
  readonly varianceEstimator?: VarianceEstimator;
}

const CLASS_NAME = "BatchNormalization";

/** The keys that the contract has too; both Kerases always write them. */
const CONTRACT_KEYS = ["trainable", "axis", "momentum", "epsilon", "center", "scale"] as const;

/**
 * The rest of what the two write. tf-keras's `fused` and `adjustment` are not here: its get_config() writes neither, so one of
 * them in a file was put there by somebody else.
 */
const OUTSIDE_KEYS = [
  "name",
  "dtype",
  "beta_initializer",
  "gamma_initializer",
  "moving_mean_initializer",
  "moving_variance_initializer",
  "beta_regularizer",
  "gamma_regularizer",
  "activity_regularizer",
  "beta_constraint",
  "gamma_constraint",
  "synchronized",
  "renorm",
  "renorm_clipping",
  "renorm_momentum",
  "virtual_batch_size",
  "batch_input_shape",
];

const WRAPPER_KEYS = ["class_name", "config", "module", "registered_name", "build_config", "name", "inbound_nodes", "shared_object_id"];

/**
 * A Keras layer's `get_config()`, as JSON, in the words of the contract (clause 16.3). Keras 3's form is read, and tf-keras's, and either
 * inside a saved model's `{ "class_name": "BatchNormalization", "config": ... }`.
 *
 * Source: Keras 3.15 and tf-keras 2.21, `BatchNormalization.get_config`.
 *
 * @throws BatchNormError `invalid-argument` for a missing or unknown key, `cannot-convert` for another class, several axes,
 * renorm and virtual_batch_size, `unknown-dtype` where the variables are not float32, and what `resolveConfig` throws.
 */
export function fromKerasConfig(
  json: unknown,
  options: KerasOptions = {},
): { readonly config: BatchNormConfig; readonly outside: KerasOutside } {
  const varianceEstimator = estimatorOf(options);
  const { inner, wrapper } = unwrap(json);
  rejectUnknownKeys("invalid-argument", "The Keras config", inner, [...CONTRACT_KEYS, ...OUTSIDE_KEYS]);
  requireKeys("invalid-argument", "The Keras config", inner, CONTRACT_KEYS);
  const { trainable, axis, momentum, epsilon, center, scale, ...rest } = inner;
  checkOutside(rest);
  // The fields are unknown yet: it is resolveConfig that judges them.
  const fields = { trainable, axis: oneAxis(axis), momentum, epsilon, center, scale, varianceEstimator } as Partial<BatchNormConfig>;
  return { config: resolveConfig(fields), outside: { config: rest, axisAsList: Array.isArray(axis), wrapper } };
}

/**
 * The reverse: given what `fromKerasConfig` gave, an equal object. Without `outside` it has the contract's own keys alone, and
 * `BatchNormalization.from_config` fills in the others.
 *
 * `nonFinite` has no equal in Keras, which always propagates.
 *
 * @throws BatchNormError `cannot-convert` when the config's varianceEstimator is not that of the options, what
 * `fromKerasConfig` throws for the keys in `outside`, and what `resolveConfig` throws.
 */
export function toKerasConfig(config: BatchNormConfig, outside?: KerasOutside, options: KerasOptions = {}): Record<string, unknown> {
  const resolved = resolveConfig(config);
  requireEstimator("The Keras that will read this", resolved, estimatorOf(options));
  const { trainable, axis, momentum, epsilon, center, scale } = resolved;
  const inner = { ...outside?.config, trainable, axis: outside?.axisAsList ? [axis] : axis, momentum, epsilon, center, scale };
  const written = outside?.wrapper ? { ...outside.wrapper, config: inner } : inner;
  // `outside` may have been edited: nothing is written that could not be read.
  fromKerasConfig(written, options);
  return written;
}

function estimatorOf(options: KerasOptions): VarianceEstimator {
  rejectUnknownKeys("invalid-argument", "The options", options as unknown, ["varianceEstimator"]);
  return options.varianceEstimator ?? "population";
}

/** Takes the config out of a saved model's entry for the layer. */
function unwrap(json: unknown): { readonly inner: unknown; readonly wrapper: KerasOutside["wrapper"] } {
  if (!isRecord(json) || !("class_name" in json)) return { inner: json, wrapper: null };
  const { config, ...wrapper } = json;
  if (wrapper.class_name !== CLASS_NAME) {
    throw new BatchNormError("cannot-convert", "The saved layer is of another class", wrapper.class_name, `class_name "${CLASS_NAME}"`);
  }
  const registered = wrapper.registered_name ?? CLASS_NAME;
  if (registered !== CLASS_NAME) {
    throw new BatchNormError(
      "cannot-convert",
      "The saved layer is a custom class of that name",
      registered,
      "registered_name null, Keras's own class",
    );
  }
  rejectUnknownKeys("invalid-argument", "The saved layer", json as unknown, WRAPPER_KEYS);
  return { inner: config, wrapper };
}

function oneAxis(axis: unknown): unknown {
  if (!Array.isArray(axis)) return axis;
  if (axis.length !== 1) throw new BatchNormError("cannot-convert", "The layer does not normalize exactly one axis", axis, "one axis");
  return axis[0];
}

function checkOutside(rest: Readonly<Record<string, unknown>>): void {
  if (rest.renorm !== undefined && rest.renorm !== false) {
    throw new BatchNormError("cannot-convert", "renorm is batch renormalization, another layer", rest.renorm, "renorm false");
  }
  const size = rest.virtual_batch_size ?? null;
  if (size !== null) {
    throw new BatchNormError(
      "cannot-convert",
      "virtual_batch_size normalizes parts of a batch by themselves",
      size,
      "virtual_batch_size null",
    );
  }
  if (rest.dtype !== undefined) checkKerasDType(rest.dtype);
}

/** The dtype policies under which all four variables of the layer are float32. */
const FLOAT32_POLICIES: readonly unknown[] = ["float32", "mixed_float16", "mixed_bfloat16"];

/**
 * Checks the `dtype` of a Keras layer: a policy's name, or a serialized policy `{ class_name, config: { name } }`.
 *
 * @throws BatchNormError `unknown-dtype`.
 */
function checkKerasDType(dtype: unknown): void {
  const name = isRecord(dtype) && isRecord(dtype.config) ? dtype.config.name : dtype;
  if (!FLOAT32_POLICIES.includes(name)) {
    throw new BatchNormError("unknown-dtype", "The layer's variables are not float32", name ?? dtype, FLOAT32_POLICIES.join(" or "));
  }
}
