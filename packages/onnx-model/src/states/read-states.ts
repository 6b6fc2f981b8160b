import { BatchNormError, DEFAULT_CONFIG, isBatchNormError, resolveConfig } from "@batchnorm/spec";
import { type BatchNormJSON, toJSON } from "@batchnorm/spec/convert";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import { describe } from "../find/find.ts";
import type { FoundLayer } from "../find/layer.ts";
import { analyse } from "../find/matches.ts";
import type { Numbers } from "../graph/constant.ts";

export interface ReadStatesOptions {
  /** The momentum of a layer whose form has none. Default: Keras's, 0.99. */
  readonly momentum?: number;
}

/** Why the state of a layer cannot be read. */
export interface UnreadableState {
  readonly layer: string;
  readonly code:
    | "missing-arrays" // the file has not all of it
    | "not-spatial" // it has statistics per position
    | "not-a-state"; // the numbers are no state of the spec: a negative variance, an epsilon of 0
  readonly why: string;
}

/** The states of a model's layers. */
export interface StatesResult {
  /** By the layer's name, in the portable form of the spec (clause 15.1). */
  readonly states: Readonly<Record<string, BatchNormJSON>>;
  readonly unreadable: readonly UnreadableState[];
  /** Layers whose momentum is not in the file, and was filled in. */
  readonly momentumAssumed: readonly string[];
  /** Layers with numbers that float32 does not hold, which were rounded to the nearest. */
  readonly rounded: readonly string[];
}

/**
 * The states of all layers whose arrays are in the file, float32 ones bit for bit. A file does not say whether gamma
 * and beta are learned, whether a layer is frozen, or what it does with infinities: trainable is true and nonFinite
 * 'propagate'; scale and center are true, unless an unfolded layer has no gamma or beta.
 *
 * @throws BatchNormError `invalid-argument` for options, and what `find` throws.
 */
export async function readStates(model: OnnxModel, options: ReadStatesOptions = {}): Promise<StatesResult> {
  const { momentum = DEFAULT_CONFIG.momentum, ...rest } = options;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new BatchNormError("invalid-argument", "readStates has no such option", unknown, "momentum");
  resolveConfig({ momentum });
  const layers = await complete(model, () => describe(analyse(model.proto, model.external)).layers);
  const states: Record<string, BatchNormJSON> = {};
  const unreadable: UnreadableState[] = [];
  const momentumAssumed: string[] = [];
  const rounded: string[] = [];
  for (const layer of layers) {
    const { name } = layer;
    const state = stateOf(layer, layer.momentum ?? momentum);
    if ("code" in state) {
      unreadable.push(state);
      continue;
    }
    Object.defineProperty(states, name, { value: state, enumerable: true, configurable: true, writable: true });
    if (layer.momentum === null) momentumAssumed.push(name);
    if (Object.values({ ...layer.parameters, ...layer.statistics }).some((values) => values !== null && !isFloat32(values)))
      rounded.push(name);
  }
  return { states, unreadable, momentumAssumed, rounded };
}

/** The state of a layer in the portable form, or why there is none. */
function stateOf(layer: FoundLayer, momentum: number): BatchNormJSON | UnreadableState {
  const lacking = lackingOf(layer);
  if (lacking !== null) return lacking;
  try {
    return jsonOf(layer, momentum);
  } catch (error) {
    if (!isBatchNormError(error)) throw error;
    return { layer: layer.name, code: "not-a-state", why: error.message };
  }
}

/** What of a layer is not in the file; null where all of it is. */
export function lackingOf({ name, missing, perPosition, statistics, epsilon }: FoundLayer): UnreadableState | null {
  if (perPosition) return { layer: name, code: "not-spatial", why: "The layer has statistics per position, not per channel." };
  const lacking = Object.entries(missing).filter(([, reason]) => reason !== "absent");
  if (lacking.length === 0 && statistics.movingMean !== null && statistics.movingVariance !== null && epsilon !== null) return null;
  const what = lacking.map(([array, reason]) => `${array} (${reason})`).join(", ") || "epsilon";
  return { layer: name, code: "missing-arrays", why: `The file does not have ${what}.` };
}

/**
 * The state of a layer that lacks nothing.
 *
 * @throws BatchNormError what `toJSON` throws.
 */
export function jsonOf({ parameters, statistics, epsilon, axis }: FoundLayer, momentum: number): BatchNormJSON {
  const gamma = parameters.gamma && toFloat32(parameters.gamma);
  const beta = parameters.beta && toFloat32(parameters.beta);
  return toJSON(
    { ...DEFAULT_CONFIG, axis, epsilon: epsilon!, momentum, scale: gamma !== null, center: beta !== null },
    {
      parameters: { gamma, beta },
      statistics: { movingMean: toFloat32(statistics.movingMean!), movingVariance: toFloat32(statistics.movingVariance!) },
    },
  );
}

/** A Float32Array as it is, bit for bit; others rounded. */
function toFloat32(values: Numbers): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function isFloat32(values: Numbers): boolean {
  return values instanceof Float32Array || values.every((value) => Object.is(Math.fround(value), value));
}
