import { PLAIN_STATE } from "./rule.ts";

const { parameters, statistics } = PLAIN_STATE;

/** One wrong argument of `create`. */
export interface WrongLayer {
  readonly id: string;
  readonly clause: string;
  readonly code: string;
  readonly config?: Record<string, unknown>;
  readonly state?: unknown;
}

/** Configs and states that no layer may be made of. */
export const WRONG_LAYERS: readonly WrongLayer[] = [
  { id: "axis-fraction", clause: "2.4", code: "invalid-axis", config: { axis: 0.5 } },
  { id: "axis-list", clause: "2.4", code: "invalid-axis", config: { axis: [1] } },
  { id: "axis-nan", clause: "2.4", code: "invalid-axis", config: { axis: Number.NaN } },
  { id: "axis-null", clause: "2.4", code: "invalid-axis", config: { axis: null } },
  { id: "epsilon-zero", clause: "2.3", code: "invalid-epsilon", config: { epsilon: 0 } },
  { id: "epsilon-negative", clause: "2.3", code: "invalid-epsilon", config: { epsilon: -1e-3 } },
  { id: "epsilon-nan", clause: "2.3", code: "invalid-epsilon", config: { epsilon: Number.NaN } },
  { id: "epsilon-infinite", clause: "2.3", code: "invalid-epsilon", config: { epsilon: Number.POSITIVE_INFINITY } },
  { id: "epsilon-below-float32", clause: "2.3", code: "invalid-epsilon", config: { epsilon: 1e-40 } },
  { id: "epsilon-above-float32", clause: "2.3", code: "invalid-epsilon", config: { epsilon: 1e39 } },
  { id: "epsilon-text", clause: "2.3", code: "invalid-epsilon", config: { epsilon: "0.001" } },
  { id: "momentum-above-one", clause: "2.2", code: "invalid-momentum", config: { momentum: 1.01 } },
  { id: "momentum-negative", clause: "2.2", code: "invalid-momentum", config: { momentum: -0.1 } },
  { id: "momentum-nan", clause: "2.2", code: "invalid-momentum", config: { momentum: Number.NaN } },
  { id: "momentum-null", clause: "2.2", code: "invalid-momentum", config: { momentum: null } },
  { id: "momentum-text", clause: "2.2", code: "invalid-momentum", config: { momentum: "0.9" } },
  { id: "center-not-boolean", clause: "2.5", code: "invalid-argument", config: { center: 1 } },
  { id: "trainable-not-boolean", clause: "2.5", code: "invalid-argument", config: { trainable: "false" } },
  { id: "unknown-non-finite", clause: "2.5", code: "invalid-argument", config: { nonFinite: "ignore" } },
  { id: "scale-not-boolean", clause: "2.5", code: "invalid-argument", config: { scale: "yes" } },
  { id: "unknown-option", clause: "2.5", code: "invalid-argument", config: { eps: 1e-3 } },
  { id: "unknown-estimator", clause: "7.3", code: "invalid-argument", config: { varianceEstimator: "biased" } },
  { id: "state-without-statistics", clause: "1.1", code: "invalid-state", state: { parameters } },
  { id: "state-flat", clause: "1.1", code: "invalid-state", state: { ...parameters, ...statistics } },
  { id: "config-of-a-promise", clause: "14.1", code: "invalid-argument", config: Promise.resolve({}) as never },
  { id: "config-of-a-map", clause: "14.1", code: "invalid-argument", config: new Map() as never },
  { id: "config-null", clause: "2.5", code: "invalid-argument", config: null as never },
  { id: "state-of-a-promise", clause: "14.1", code: "invalid-state", state: Promise.resolve({ parameters, statistics }) },
  { id: "channels-zero", clause: "1.2", code: "wrong-length", state: 0 },
  { id: "channels-negative", clause: "1.2", code: "wrong-length", state: -2 },
  { id: "channels-fraction", clause: "1.2", code: "wrong-length", state: 1.5 },
  { id: "channels-nan", clause: "1.2", code: "wrong-length", state: Number.NaN },
  { id: "state-absent", clause: "1.1", code: "invalid-state", state: null },
  {
    id: "state-unknown-field",
    clause: "1.1",
    code: "invalid-state",
    state: { parameters, statistics: { ...statistics, movingStddev: [1, 1] } },
  },
  {
    id: "state-not-numbers",
    clause: "1.1",
    code: "invalid-state",
    state: { parameters, statistics: { ...statistics, movingMean: ["1", "2"] } },
  },
  { id: "gamma-length", clause: "1.2", code: "wrong-length", state: { parameters: { ...parameters, gamma: [1, 1, 1] }, statistics } },
  { id: "beta-length", clause: "1.2", code: "wrong-length", state: { parameters: { ...parameters, beta: [1] }, statistics } },
  { id: "variance-length", clause: "1.2", code: "wrong-length", state: { parameters, statistics: { ...statistics, movingVariance: [1] } } },
  {
    id: "no-channels",
    clause: "1.2",
    code: "wrong-length",
    state: { parameters: { gamma: [], beta: [] }, statistics: { movingMean: [], movingVariance: [] } },
  },
  {
    id: "variance-negative",
    clause: "1.2",
    code: "negative-variance",
    state: { parameters, statistics: { ...statistics, movingVariance: [1, -1e-3] } },
  },
  { id: "gamma-with-scale-off", clause: "8.3", code: "unexpected-parameter", config: { scale: false } },
  { id: "beta-with-center-off", clause: "8.3", code: "unexpected-parameter", config: { center: false } },
  { id: "gamma-missing", clause: "8.3", code: "missing-parameter", state: { parameters: { beta: parameters.beta }, statistics } },
  { id: "beta-missing", clause: "8.3", code: "missing-parameter", state: { parameters: { gamma: parameters.gamma }, statistics } },
];
