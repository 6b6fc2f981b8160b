import { BatchNormError } from "@batchnorm/spec";
import { type BatchNormJSON, type ConfigAndState, fromJSON } from "@batchnorm/spec/convert";
import { complete } from "../file/complete.ts";
import type { OnnxModel } from "../file/model.ts";
import { describe } from "../find/find.ts";
import type { FoundLayer } from "../find/layer.ts";
import { ARRAY_NAMES, type ArrayName } from "../find/match.ts";
import { analyse } from "../find/matches.ts";

/** A layer of the model with the state that belongs to it. */
export interface FilledLayer {
  readonly layer: string;
  /** The name of the state, as it was given. */
  readonly state: string;
  /** By its name, or because its numbers, and no other state's, are those of the layer. */
  readonly matchedBy: "name" | "numbers";
  readonly json: BatchNormJSON;
  /** Whether what the file has agrees with the state; null for what it has not. */
  readonly agrees: {
    readonly epsilon: boolean | null;
    readonly arrays: Readonly<Record<ArrayName, boolean | null>>;
    /** k = gamma / sqrt(variance + epsilon). */
    readonly multiplier: boolean | null;
    /**
     * l = beta - mean k. An exporter may have put the bias of the node before into it: then it differs, and the
     * multiplier agrees.
     */
    readonly offset: boolean | null;
  };
  /** The channels in which they do not. */
  readonly disagreeing: Readonly<Partial<Record<ArrayName | "multiplier" | "offset", readonly number[]>>>;
}

export interface FillStatesResult {
  readonly filled: readonly FilledLayer[];
  /** Layers for which no state was found. */
  readonly unmatched: readonly string[];
  /** States that belong to no layer that was found: of layers that were folded away, perhaps. */
  readonly unused: readonly string[];
}

/**
 * Finds for every layer of a model its state among those of a weight file, and checks them against each other. An
 * exporter that computed k and l did not keep the arrays; the weight file has them, and k must be gamma / sqrt(variance
 * + epsilon).
 *
 * A state belongs to a layer by its name: the same, or that of a folder in the layer's name, with or without the number
 * that Keras adds. Where no name fits it is the one state whose numbers do.
 *
 * @throws BatchNormError `invalid-argument` for states that are no object; what `fromJSON` and `find` throw.
 */
export async function fillStates(model: OnnxModel, states: Readonly<Record<string, BatchNormJSON>>): Promise<FillStatesResult> {
  const known = readAll(states);
  const layers = await complete(model, () => describe(analyse(model.proto, model.external)).layers);
  return matchStates(layers, known);
}

/** A state of a weight file, with its name there. */
export interface NamedState extends ConfigAndState {
  readonly name: string;
  readonly json: BatchNormJSON;
}

/** @throws BatchNormError `invalid-argument` for states that are no object; what `fromJSON` throws. */
export function readAll(states: Readonly<Record<string, BatchNormJSON>>): readonly NamedState[] {
  if (typeof states !== "object" || states === null || Array.isArray(states)) {
    throw new BatchNormError("invalid-argument", "The states are wrong", states, "an object with the states of layers by their names");
  }
  return Object.entries(states).map(([name, json]) => ({ name, json, ...fromJSON(json) }));
}

/** `fillStates`, of layers that were found. */
export function matchStates(layers: readonly FoundLayer[], known: readonly NamedState[]): FillStatesResult {
  const left = new Set(known);
  const filled = new Map<FoundLayer, FilledLayer>();
  const take = (layer: FoundLayer, state: NamedState, matchedBy: FilledLayer["matchedBy"]): void => {
    left.delete(state);
    filled.set(layer, { layer: layer.name, state: state.name, matchedBy, json: state.json, ...compare(layer, state) });
  };
  for (const layer of layers) {
    const named = [...left].filter((state) => isNamed(layer, state.name) && state.json.channels === layer.channels);
    if (named.length === 1) take(layer, named[0], "name");
  }
  for (const layer of layers) {
    if (filled.has(layer)) continue;
    const fitting = [...left].filter((state) => state.json.channels === layer.channels && fits(compare(layer, state).agrees));
    if (fitting.length === 1) take(layer, fitting[0], "numbers");
  }
  return {
    filled: layers.flatMap((layer) => filled.get(layer) ?? []),
    unmatched: layers.filter((layer) => !filled.has(layer)).map(({ name }) => name),
    unused: [...left].map(({ name }) => name),
  };
}

/** Names are compared folder by folder, without the numbers that Keras adds to those of a second call. */
function isNamed({ name }: FoundLayer, state: string): boolean {
  const bare = (text: string): string => text.replace(/_\d+$/, "");
  const last = state.split("/").at(-1)!;
  return (
    name === state ||
    name.split("/").some((part) => part === last) ||
    name.split("/").some((part) => bare(part) === last || bare(part) === bare(last))
  );
}

function fits({ epsilon, arrays, multiplier, offset }: FilledLayer["agrees"]): boolean {
  const said = [epsilon, multiplier, ...Object.values(arrays)];
  // An offset alone may differ.
  return !said.includes(false) && (said.includes(true) || offset === true);
}

/**
 * k is computed by the exporter in float32: the sum with epsilon and the root err by 2^-24 each, halved for the sum;
 * the reciprocal and the product with gamma by 2^-24 each, and a runtime's inverse root by 2 units in the last place.
 * That is at most 7 times 2^-24 of k. l adds a product and a difference to it.
 */
const ROUNDINGS_OF_K = 7;
const ROUNDINGS_OF_L = 10;

function compare(layer: FoundLayer, { config, state }: ConfigAndState): Pick<FilledLayer, "agrees" | "disagreeing"> {
  const own = { ...layer.parameters, ...layer.statistics };
  const gamma = state.parameters.gamma ?? state.statistics.movingMean.map(() => 1);
  const beta = state.parameters.beta ?? state.statistics.movingMean.map(() => 0);
  const given: Record<ArrayName, Float32Array> = { gamma, beta, ...state.statistics };
  const { movingMean } = given;
  const k = multiplierOf({ config, state });
  const u = 2 ** -24;
  const wrong = new Map<ArrayName | "multiplier" | "offset", readonly number[]>();
  const check = (
    what: ArrayName | "multiplier" | "offset",
    values: ArrayLike<number> | null | undefined,
    isRight: (value: number, c: number) => boolean,
  ): boolean | null => {
    if (values === null || values === undefined) return null;
    const channels = Array.from(values).flatMap((value, c) => (isRight(value, c) ? [] : [c]));
    if (channels.length > 0) wrong.set(what, channels);
    return channels.length === 0;
  };
  const arrays = ARRAY_NAMES.map((name) => [name, check(name, own[name], (value, c) => Object.is(Math.fround(value), given[name][c]))]);
  const agrees = {
    epsilon: layer.epsilon === null ? null : Math.fround(config.epsilon) === layer.epsilon,
    arrays: Object.fromEntries(arrays) as FilledLayer["agrees"]["arrays"],
    multiplier: check("multiplier", layer.affine?.multiplier, (value, c) => Math.abs(value - k[c]) <= ROUNDINGS_OF_K * u * Math.abs(k[c])),
    offset: check(
      "offset",
      layer.affine?.offset,
      (value, c) =>
        Math.abs(value - (beta[c] - movingMean[c] * k[c])) <= ROUNDINGS_OF_L * u * (Math.abs(beta[c]) + Math.abs(movingMean[c] * k[c])),
    ),
  };
  return { agrees, disagreeing: Object.fromEntries(wrong) };
}

/** k = gamma / sqrt(variance + epsilon), in float64. */
export function multiplierOf({ config, state }: ConfigAndState): Float64Array {
  const { gamma } = state.parameters;
  return Float64Array.from(state.statistics.movingVariance, (value, c) => (gamma?.[c] ?? 1) / Math.sqrt(value + config.epsilon));
}
