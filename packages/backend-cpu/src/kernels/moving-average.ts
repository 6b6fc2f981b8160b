import type { BatchNormConfig, Statistics } from "@batchnorm/spec";
import type { ChannelNumbers } from "./normalizer.ts";

/**
 * Takes a batch into the moving statistics, in place (clauses 7.1 to 7.4), `[channels]` each:
 *
 *     moving = moving * momentum + batch * (1 - momentum)
 *
 * With 'sample' the batch's variance counts n / (n - 1) times, with n = 1 once. `variance` is the population variance.
 */
export function updateMovingStatistics(
  { movingMean, movingVariance }: Statistics,
  mean: ChannelNumbers,
  variance: ChannelNumbers,
  n: number,
  { momentum, varianceEstimator }: Pick<BatchNormConfig, "momentum" | "varianceEstimator">,
): void {
  const correction = varianceEstimator === "sample" ? n / Math.max(n - 1, 1) : 1;
  for (let c = 0; c < movingMean.length; c++) {
    movingMean[c] = movingMean[c] * momentum + mean[c] * (1 - momentum);
    movingVariance[c] = movingVariance[c] * momentum + variance[c] * correction * (1 - momentum);
  }
}
