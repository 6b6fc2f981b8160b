import type { BatchNormConfig } from "./contract.ts";
import { BatchNormError } from "./errors.ts";
import { rejectUnknownKeys } from "./objects.ts";

/** Keras 3's defaults (clause 2.1). */
export const DEFAULT_CONFIG: BatchNormConfig = Object.freeze({
  axis: -1,
  momentum: 0.99,
  epsilon: 1e-3,
  center: true,
  scale: true,
  trainable: true,
  varianceEstimator: "population",
  nonFinite: "propagate",
});

/** The smallest positive normal float32, 2^-126: the least epsilon that every runtime can hold (clause 2.3). */
const SMALLEST_EPSILON = 2 ** -126;
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Fills in Keras's defaults and checks every field.
 *
 * @throws BatchNormError `invalid-argument`, `invalid-axis`, `invalid-epsilon`, `invalid-momentum`.
 */
export function resolveConfig(options: Partial<BatchNormConfig> = {}): BatchNormConfig {
  rejectUnknownKeys("invalid-argument", "The layer's config", options, Object.keys(DEFAULT_CONFIG));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const config: BatchNormConfig = { ...DEFAULT_CONFIG, ...Object.fromEntries(given) };
  if (!Number.isInteger(config.axis)) {
    throw new BatchNormError("invalid-axis", "axis is not an integer", config.axis, "one integer such as -1 or 1");
  }
  if (!isNumberIn(config.momentum, 0, 1)) {
    throw new BatchNormError(
      "invalid-momentum",
      "momentum is out of range",
      config.momentum,
      "a number in [0, 1], the weight of the old value",
    );
  }
  if (!isNumberIn(config.epsilon, SMALLEST_EPSILON, LARGEST_FLOAT32)) {
    throw new BatchNormError(
      "invalid-epsilon",
      "epsilon is out of range",
      config.epsilon,
      "a positive finite number that float32 can hold, such as 0.001",
    );
  }
  for (const name of ["center", "scale", "trainable"] as const) {
    if (typeof config[name] !== "boolean") {
      throw new BatchNormError("invalid-argument", `${name} is not a boolean`, config[name], "true or false");
    }
  }
  checkOneOf("varianceEstimator", config.varianceEstimator, ["population", "sample"]);
  checkOneOf("nonFinite", config.nonFinite, ["propagate", "reject"]);
  return Object.freeze(config);
}

function isNumberIn(value: unknown, low: number, high: number): boolean {
  return typeof value === "number" && value >= low && value <= high;
}

function checkOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new BatchNormError("invalid-argument", `${name} has an unknown value`, value, allowed.map((each) => `'${each}'`).join(" or "));
  }
}
