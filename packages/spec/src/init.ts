import type { Supports } from "./backend.ts";
import { type BatchNormConfig, resolveConfig } from "./config.ts";
import { BatchNormError } from "./errors.ts";
import { type BatchNormState, resolveState, type StateInput } from "./state.ts";

/** A config and a state that have been found in order; the arrays belong to the layer. */
export interface LayerInit {
  readonly config: BatchNormConfig;
  readonly state: BatchNormState;
}

/** Checks the arguments of `backend.create`. Throws what `resolveConfig` and `resolveState` throw, and `unsupported`. */
export function resolveLayer(supports: Supports, config: Partial<BatchNormConfig>, state: StateInput): LayerInit {
  const resolved = resolveConfig(config);
  for (const [name, value, allowed] of [
    ["varianceEstimator", resolved.varianceEstimator, supports.varianceEstimators],
    ["nonFinite", resolved.nonFinite, supports.nonFinite],
  ] as const) {
    if (!(allowed as readonly string[]).includes(value)) {
      throw new BatchNormError("unsupported", `This backend does not take such a ${name}`, value, allowed.join(" or "));
    }
  }
  return { config: resolved, state: resolveState(resolved, state) };
}
