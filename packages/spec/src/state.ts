import type { BatchNormConfig, BatchNormState, CheckedUpdate, StateInput, StateUpdate } from "./contract.ts";
import { BatchNormError } from "./errors.ts";
import { isRecord, rejectUnknownKeys } from "./objects.ts";

const PARAMETER_NAMES = ["gamma", "beta"] as const;
const STATISTIC_NAMES = ["movingMean", "movingVariance"] as const;

/** The parameter that a config switch turns on: scale has gamma, center has beta. */
const SWITCH_OF = { gamma: "scale", beta: "center" } as const;

/**
 * Keras's initial state (clause 1.3): gamma and movingVariance one, beta and movingMean zero. Scale and center are on where the config
 * does not say.
 *
 * @throws BatchNormError `wrong-length` when `channels` is not a positive integer; `runtime-failure` where memory has no room for so many.
 */
export function initialState({ center = true, scale = true }: Partial<BatchNormConfig>, channels: number): BatchNormState {
  if (!Number.isInteger(channels) || channels < 1) {
    throw new BatchNormError("wrong-length", "The number of channels is wrong", channels, "a positive integer");
  }
  const zeros = (): Float32Array => new Float32Array(channels);
  const ones = (): Float32Array => zeros().fill(1);
  try {
    return {
      parameters: { gamma: scale ? ones() : null, beta: center ? zeros() : null },
      statistics: { movingMean: zeros(), movingVariance: ones() },
    };
  } catch (cause) {
    throw new BatchNormError("runtime-failure", "There is no room for the state", channels, "as many channels as fit into memory", cause);
  }
}

/**
 * Checks a state against its config and returns a copy of it that nobody else holds.
 *
 * @throws BatchNormError `invalid-state`, `missing-parameter`, `unexpected-parameter`, `wrong-length`, `negative-variance`.
 */
export function resolveState(config: Pick<BatchNormConfig, "center" | "scale">, input: StateInput): BatchNormState {
  checkStateKeys(input, true);
  const movingMean = toFloat32("movingMean", input.statistics.movingMean);
  const movingVariance = toFloat32("movingVariance", input.statistics.movingVariance);
  const channels = movingMean.length;
  if (channels === 0) throw new BatchNormError("wrong-length", "movingMean has no channels", movingMean, "at least one channel");
  checkLength("movingVariance", movingVariance, channels);
  checkVariance(movingVariance);
  const parameter = (name: "gamma" | "beta"): Float32Array | null => {
    const value = input.parameters[name] ?? null;
    checkPresence(config, name, value !== null);
    return value === null ? null : checkLength(name, toFloat32(name, value), channels);
  };
  return { parameters: { gamma: parameter("gamma"), beta: parameter("beta") }, statistics: { movingMean, movingVariance } };
}

/**
 * Checks a partial update against the layer that receives it; the arrays of the result are copies.
 *
 * @throws BatchNormError `invalid-state`, `missing-parameter`, `unexpected-parameter`, `wrong-length`, `negative-variance`.
 */
export function resolveStateUpdate(
  config: Pick<BatchNormConfig, "center" | "scale">,
  channels: number,
  update: StateUpdate,
): CheckedUpdate {
  checkStateKeys(update, false);
  const parameters: { gamma?: Float32Array; beta?: Float32Array } = {};
  for (const name of PARAMETER_NAMES) {
    const value = update.parameters?.[name];
    if (value === undefined) continue;
    checkPresence(config, name, value !== null);
    if (value !== null) parameters[name] = checkLength(name, toFloat32(name, value), channels);
  }
  const statistics: { movingMean?: Float32Array; movingVariance?: Float32Array } = {};
  for (const name of STATISTIC_NAMES) {
    const value = update.statistics?.[name];
    if (value !== undefined) statistics[name] = checkLength(name, toFloat32(name, value), channels);
  }
  if (statistics.movingVariance) checkVariance(statistics.movingVariance);
  return { parameters, statistics };
}

/** A copy that shares no memory with `state`. */
export function copyState(state: BatchNormState): BatchNormState {
  const { gamma, beta } = state.parameters;
  const { movingMean, movingVariance } = state.statistics;
  return {
    parameters: { gamma: gamma?.slice() ?? null, beta: beta?.slice() ?? null },
    statistics: { movingMean: movingMean.slice(), movingVariance: movingVariance.slice() },
  };
}

function checkStateKeys(input: StateInput | StateUpdate, whole: boolean): void {
  rejectMisplaced("The state", input, "parameters", PARAMETER_NAMES);
  rejectMisplaced("The state", input, "statistics", STATISTIC_NAMES);
  rejectMisplaced("The state's parameters", input?.parameters, "statistics", STATISTIC_NAMES);
  rejectMisplaced("The state's statistics", input?.statistics, "parameters", PARAMETER_NAMES);
  rejectUnknownKeys("invalid-state", "The state", input, ["parameters", "statistics"]);
  if (whole || input.parameters !== undefined) {
    rejectUnknownKeys("invalid-state", "The state's parameters", input.parameters, PARAMETER_NAMES);
  }
  if (whole || input.statistics !== undefined) {
    rejectUnknownKeys("invalid-state", "The state's statistics", input.statistics, STATISTIC_NAMES);
  }
}

/** Parameters and statistics are easily taken for each other: a field in the wrong place is told the right one. */
function rejectMisplaced(what: string, value: unknown, place: "parameters" | "statistics", names: readonly string[]): void {
  const name = isRecord(value) ? names.find((each) => Object.hasOwn(value, each)) : undefined;
  if (name === undefined) return;
  throw new BatchNormError("invalid-state", `${what} cannot have this key`, name, `it in the ${place}: { ${place}: { ${name} } }`);
}

function checkPresence(config: Pick<BatchNormConfig, "center" | "scale">, name: "gamma" | "beta", present: boolean): void {
  const wanted = config[SWITCH_OF[name]];
  if (wanted && !present) {
    throw new BatchNormError("missing-parameter", `${name} is missing`, null, `one number per channel, since ${SWITCH_OF[name]} is on`);
  }
  if (!wanted && present) {
    throw new BatchNormError("unexpected-parameter", `${name} is present`, name, `no ${name}, since ${SWITCH_OF[name]} is off`);
  }
}

function checkLength(name: string, value: Float32Array, channels: number): Float32Array {
  if (value.length !== channels) {
    throw new BatchNormError("wrong-length", `${name} has the wrong length`, value.length, `${channels}, one number per channel`);
  }
  return value;
}

/** NaN is let through: training on a NaN leaves one there (clause 11.1). */
function checkVariance(variance: Float32Array): void {
  const channel = variance.findIndex((value) => value < 0);
  if (channel >= 0) {
    throw new BatchNormError(
      "negative-variance",
      `movingVariance is negative in channel ${channel}`,
      variance[channel],
      "a variance, zero or more",
    );
  }
}

/** By its tag, which is the same in every realm, where `instanceof` is not. */
function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && (value as Float32Array)[Symbol.toStringTag] === "Float32Array";
}

function toFloat32(name: string, value: unknown): Float32Array {
  if (isFloat32Array(value)) return new Float32Array(value);
  // Spread first: `every` alone would step over the holes of a sparse array, and they would become NaN.
  if (Array.isArray(value) && [...value].every((each) => typeof each === "number")) return Float32Array.from(value);
  throw new BatchNormError("invalid-state", `${name} is not made of numbers`, value, "a Float32Array or an array of numbers");
}
