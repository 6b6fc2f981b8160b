import type { StateInput } from "@batchnorm/spec";

/** Two channels, no number twice. */
export const STATE: StateInput = {
  parameters: { gamma: [1.5, -0.5], beta: [0.25, 2] },
  statistics: { movingMean: [0.75, -1.25], movingVariance: [4, 0.5] },
};

/** Three rows of two channels. */
export const X = { data: Float32Array.of(1, -2, 3, 0.5, -4, 8), shape: [3, 2] };

/** The same numbers with the channels on axis 1. */
export const X_FIRST = { data: X.data, shape: [1, 2, 3] };
