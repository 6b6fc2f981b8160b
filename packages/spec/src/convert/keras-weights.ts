import type { BatchNormConfig, BatchNormState, Numbers } from "../contract.ts";
import { BatchNormError } from "../errors.ts";
import { isRecord } from "../objects.ts";
import { copyState, resolveState } from "../state.ts";

/**
 * The state in a Keras layer's `get_weights()` (clause 16.3): gamma, beta, moving_mean, moving_variance, each `[channels]`, without gamma where
 * scale is off and without beta where center is off; both are on where the config does not say. Freezing does not change the order.
 *
 * Source: Keras 3 and tf-keras, `BatchNormalization.build`, in the order of its `add_weight` calls.
 *
 * @throws BatchNormError `invalid-argument` without a config, `invalid-state` for another number of weights, and what `resolveState` throws.
 */
export function fromKerasWeights(config: Partial<BatchNormConfig>, weights: readonly Numbers[]): BatchNormState {
  if (!isRecord(config)) {
    throw new BatchNormError("invalid-argument", "There is no config to say which weights there are", config, "scale and center");
  }
  const { center = true, scale = true } = config;
  const order = [...(scale ? ["gamma"] : []), ...(center ? ["beta"] : []), "moving_mean", "moving_variance"];
  if (!Array.isArray(weights) || weights.length !== order.length) {
    const received = Array.isArray(weights) ? weights.length : weights;
    throw new BatchNormError("invalid-state", "The number of weights is wrong", received, `${order.length}: ${order.join(", ")}`);
  }
  const at = (name: string): Numbers => weights[order.indexOf(name)];
  const parameters = { gamma: scale ? at("gamma") : null, beta: center ? at("beta") : null };
  const statistics = { movingMean: at("moving_mean"), movingVariance: at("moving_variance") };
  return resolveState({ center, scale }, { parameters, statistics });
}

/** What a Keras layer's `set_weights` takes, in the same order; the arrays are copies. */
export function toKerasWeights(state: BatchNormState): Float32Array[] {
  const { parameters, statistics } = copyState(state);
  return [parameters.gamma, parameters.beta, statistics.movingMean, statistics.movingVariance].filter((weight) => weight !== null);
}
