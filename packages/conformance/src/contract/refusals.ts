import type { BatchNormConfig, StateInput } from "@batchnorm/spec";
import { sameBits } from "../checks/execute.ts";
import { type Bench, PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

/** One wrong argument of `create`. */
interface WrongLayer {
  readonly id: string;
  readonly clause: string;
  readonly code: string;
  readonly config?: Record<string, unknown>;
  readonly state?: unknown;
}

const { parameters, statistics } = PLAIN_STATE;

const WRONG_LAYERS: readonly WrongLayer[] = [
  { id: "axis-fraction", clause: "2.4", code: "invalid-axis", config: { axis: 0.5 } },
  { id: "axis-list", clause: "2.4", code: "invalid-axis", config: { axis: [1] } },
  { id: "epsilon-zero", clause: "2.3", code: "invalid-epsilon", config: { epsilon: 0 } },
  { id: "epsilon-negative", clause: "2.3", code: "invalid-epsilon", config: { epsilon: -1e-3 } },
  { id: "epsilon-nan", clause: "2.3", code: "invalid-epsilon", config: { epsilon: Number.NaN } },
  { id: "epsilon-infinite", clause: "2.3", code: "invalid-epsilon", config: { epsilon: Number.POSITIVE_INFINITY } },
  { id: "epsilon-below-float32", clause: "2.3", code: "invalid-epsilon", config: { epsilon: 1e-40 } },
  { id: "momentum-above-one", clause: "2.2", code: "invalid-momentum", config: { momentum: 1.01 } },
  { id: "momentum-negative", clause: "2.2", code: "invalid-momentum", config: { momentum: -0.1 } },
  { id: "momentum-nan", clause: "2.2", code: "invalid-momentum", config: { momentum: Number.NaN } },
  { id: "scale-not-boolean", clause: "2.5", code: "invalid-argument", config: { scale: "yes" } },
  { id: "unknown-option", clause: "2.5", code: "invalid-argument", config: { eps: 1e-3 } },
  { id: "unknown-estimator", clause: "7.3", code: "invalid-argument", config: { varianceEstimator: "biased" } },
  { id: "state-without-statistics", clause: "1.1", code: "invalid-state", state: { parameters } },
  { id: "state-flat", clause: "1.1", code: "invalid-state", state: { ...parameters, ...statistics } },
  { id: "state-not-numbers", clause: "1.1", code: "invalid-state", state: { parameters, statistics: { ...statistics, movingMean: ["1", "2"] } } },
  { id: "gamma-length", clause: "1.2", code: "wrong-length", state: { parameters: { ...parameters, gamma: [1, 1, 1] }, statistics } },
  { id: "beta-length", clause: "1.2", code: "wrong-length", state: { parameters: { ...parameters, beta: [1] }, statistics } },
  { id: "variance-length", clause: "1.2", code: "wrong-length", state: { parameters, statistics: { ...statistics, movingVariance: [1] } } },
  { id: "no-channels", clause: "1.2", code: "wrong-length", state: { parameters: { gamma: [], beta: [] }, statistics: { movingMean: [], movingVariance: [] } } },
  { id: "variance-negative", clause: "1.2", code: "negative-variance", state: { parameters, statistics: { ...statistics, movingVariance: [1, -1e-3] } } },
  { id: "gamma-with-scale-off", clause: "8.3", code: "unexpected-parameter", config: { scale: false } },
  { id: "beta-with-center-off", clause: "8.3", code: "unexpected-parameter", config: { center: false } },
  { id: "gamma-missing", clause: "8.3", code: "missing-parameter", state: { parameters: { beta: parameters.beta }, statistics } },
  { id: "beta-missing", clause: "8.3", code: "missing-parameter", state: { parameters: { gamma: parameters.gamma }, statistics } },
];

/** One wrong call on a layer that is in order. */
interface WrongCall {
  readonly id: string;
  readonly clause: string;
  readonly code: string;
  readonly needs?: Rule["needs"];
  readonly config?: Partial<BatchNormConfig>;
  call(bench: Bench, layer: ReturnType<Bench["create"]>): unknown;
}

const WRONG_CALLS: readonly WrongCall[] = [
  { id: "rank-1", clause: "3.3", code: "invalid-rank", call: (bench, layer) => layer.call(bench.tensor([1, 2], [2])) },
  { id: "axis-too-large", clause: "3.4", code: "invalid-axis", config: { axis: 2 }, call: (bench, layer) => layer.call(bench.tensor()) },
  { id: "axis-too-small", clause: "3.4", code: "invalid-axis", config: { axis: -3 }, call: (bench, layer) => layer.call(bench.tensor()) },
  { id: "channels", clause: "3.5", code: "channel-mismatch", call: (bench, layer) => layer.call(bench.tensor(PLAIN_X, [2, 3])) },
  {
    id: "channels-on-axis",
    clause: "3.5",
    code: "channel-mismatch",
    config: { axis: 0 },
    call: (bench, layer) => layer.call(bench.tensor(), { training: true }),
  },
  { id: "training-not-boolean", clause: "4.1", code: "invalid-argument", call: (bench, layer) => layer.call(bench.tensor(), { training: "yes" as never }) },
  { id: "empty-training", clause: "6.5", code: "empty-batch", needs: ["training"], call: (bench, layer) => layer.call(bench.tensor([], [0, 2]), { training: true }) },
  {
    id: "mask-shape",
    clause: "9.3",
    code: "invalid-mask",
    needs: ["training", "masks"],
    call: (bench, layer) => layer.call(bench.tensor(), { training: true, mask: bench.mask([1, 1, 1, 1, 1, 1], [3, 2]) }),
  },
  {
    id: "mask-length",
    clause: "9.3",
    code: "invalid-mask",
    needs: ["training", "masks"],
    call: (bench, layer) => layer.call(bench.tensor(), { training: true, mask: bench.mask([1, 1], [2]) }),
  },
  {
    id: "mask-float",
    clause: "9.3",
    code: "invalid-mask",
    needs: ["training", "masks"],
    call: (bench, layer) => layer.call(bench.tensor(), { training: true, mask: bench.tensor([1, 1, 1], [3]) }),
  },
  { id: "x-bool", clause: "13.2", code: "unknown-dtype", call: (bench, layer) => layer.call(bench.mask([1, 0, 1, 0, 1, 1], [3, 2])) },
  {
    id: "out-shape",
    clause: "17.4",
    code: "invalid-out",
    needs: ["out"],
    call: (bench, layer) => layer.call(bench.tensor(), { out: bench.tensor([0, 0, 0, 0], [2, 2]) }),
  },
  {
    id: "out-is-x-of-a-gradient",
    clause: "17.4",
    code: "invalid-out",
    needs: ["out", "training", "gradients"],
    call: (bench, layer) => {
      const x = bench.tensor();
      return layer.call(x, { training: true, out: x });
    },
  },
  { id: "backward-without-forward", clause: "10.7", code: "no-forward", needs: ["gradients"], call: (bench, layer) => layer.backward(bench.tensor()) },
  {
    id: "backward-after-plain-inference",
    clause: "10.7",
    code: "no-forward",
    needs: ["training", "gradients"],
    call: async (bench, layer) => {
      const untouched = await layer.state();
      await layer.call(bench.tensor(), { training: true });
      await layer.setState({ statistics: untouched.statistics });
      await layer.call(bench.tensor());
      return layer.backward(bench.tensor());
    },
  },
  {
    id: "backward-after-new-parameters",
    clause: "10.7",
    code: "no-forward",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      await layer.setState({ parameters: { gamma: parameters.gamma } });
      return layer.backward(bench.tensor());
    },
  },
  {
    id: "dy-shape",
    clause: "10.7",
    code: "invalid-gradient",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      return layer.backward(bench.tensor(PLAIN_X, [2, 3]));
    },
  },
  { id: "set-wrong-length", clause: "1.2", code: "wrong-length", call: (_, layer) => layer.setState({ parameters: { beta: [9, 9], gamma: [9] } }) },
  {
    id: "set-negative-variance",
    clause: "1.2",
    code: "negative-variance",
    call: (_, layer) => layer.setState({ statistics: { movingMean: [9, 9], movingVariance: [-1, 1] } }),
  },
  { id: "set-unknown-field", clause: "1.1", code: "invalid-state", call: (_, layer) => layer.setState({ gamma: [9, 9] } as never) },
  {
    id: "non-finite",
    clause: "11.2",
    code: "non-finite",
    needs: ["training", "reject"],
    config: { nonFinite: "reject" },
    call: (bench, layer) => layer.call(bench.tensor([1, 2, 3, Number.NaN, 5, 6]), { training: true }),
  },
  {
    id: "non-finite-inference",
    clause: "11.2",
    code: "non-finite",
    needs: ["reject"],
    config: { nonFinite: "reject" },
    call: (bench, layer) => layer.call(bench.tensor([1, 2, 3, 4, Number.NEGATIVE_INFINITY, 6])),
  },
];

/** Every refusal of the contract that a backend can be asked for, as rules. */
export const REFUSALS: readonly Rule[] = [
  ...WRONG_LAYERS.map(
    ({ id, clause, code, config = {}, state = PLAIN_STATE }): Rule => ({
      id: `refuse-layer/${id}`,
      clause,
      must: `create MUST refuse this with ${code}.`,
      run: (bench) => bench.refuses(code, "The layer", () => bench.create(config as Partial<BatchNormConfig>, state as StateInput)),
    }),
  ),
  ...WRONG_CALLS.map(
    ({ id, clause, code, needs = [], config = {}, call }): Rule => ({
      id: `refuse-call/${id}`,
      clause,
      needs,
      must: `The call MUST be refused with ${code}, and the state MUST be what it was, bit for bit.`,
      run: async (bench) => {
        const layer = bench.create(config);
        const before = await layer.state();
        await bench.refuses(code, "The call", () => call(bench, layer));
        const after = await layer.state();
        for (const name of ["gamma", "beta"] as const) {
          bench.expect(sameBits(before.parameters[name], after.parameters[name]), `${name} was changed.`);
        }
        for (const name of ["movingMean", "movingVariance"] as const) {
          bench.expect(sameBits(before.statistics[name], after.statistics[name]), `${name} was changed.`);
        }
      },
    }),
  ),
];
