import type { Case, Step } from "@batchnorm/conformance";
import { channelView, elementsPerChannel } from "@batchnorm/spec";

/**
 * The same vector for a layer whose moving variance takes the sample variance (clause 7.3), with the truth of that one output computed
 * anew by clause 7.1. Null where the moving variance of a training step goes into the output of a later one.
 */
export function withSampleVariance(original: Case): Case | null {
  const { config, state, steps } = original;
  if (config.varianceEstimator === "sample") return original;
  const firstTraining = steps.findIndex(({ batch }) => batch !== null);
  if (firstTraining >= 0 && steps.slice(firstTraining).some(({ batch }) => batch === null)) return null;
  let moving = Float64Array.from(state.statistics.movingVariance);
  const updated = steps.map((step): Step => {
    if (step.batch === null || step.truth.movingVariance === null) return step;
    const { variance } = step.batch;
    const n = visible(step, config.axis);
    moving = moving.map((old, c) => old * config.momentum + ((variance[c] * n) / Math.max(n - 1, 1)) * (1 - config.momentum));
    return { ...step, truth: { ...step.truth, movingVariance: moving }, results: {} };
  });
  return { ...original, reference: null, config: { ...config, varianceEstimator: "sample" }, steps: updated };
}

function visible({ mask, shape }: Step, axis: number): number {
  return mask === null ? elementsPerChannel(channelView(shape, axis)) : mask.reduce((count, byte) => count + Number(byte !== 0), 0);
}
