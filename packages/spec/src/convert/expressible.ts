import type { BatchNormConfig, Parameters, VarianceEstimator } from "../contract.ts";
import { BatchNormError } from "../errors.ts";

/**
 * For a framework whose layer always normalizes axis 1. (At rank 2, axis -1 is the same one, but a config does not know the rank.)
 *
 * @throws BatchNormError `cannot-convert`.
 */
export function requireAxisOne(framework: string, config: BatchNormConfig): void {
  if (config.axis !== 1) {
    throw new BatchNormError("cannot-convert", `${framework} normalizes axis 1 only`, config.axis, "axis 1, and x with its channels there");
  }
}

/**
 * For a framework that knows one estimator only: the numbers would fit, but training would go on differently there.
 *
 * @throws BatchNormError `cannot-convert`.
 */
export function requireEstimator(framework: string, config: BatchNormConfig, wanted: VarianceEstimator): void {
  const given = config.varianceEstimator;
  if (given !== wanted) {
    throw new BatchNormError(
      "cannot-convert",
      `${framework} puts the ${wanted} variance into the moving variance`,
      given,
      `varianceEstimator '${wanted}', set explicitly, since further training would differ`,
    );
  }
}

/** gamma and beta for a framework that has both or neither: the absent one is what multiplying or adding nothing is. */
export function filledParameters(parameters: Parameters, channels: number): { gamma: Float32Array; beta: Float32Array } {
  return {
    gamma: parameters.gamma ?? new Float32Array(channels).fill(1),
    beta: parameters.beta ?? new Float32Array(channels),
  };
}
