import type { BatchNormConfig, StateInput } from "@batchnorm/spec";
import { type Bench, PLAIN_STATE, PLAIN_X, type Rule } from "./rule.ts";

const { parameters, statistics } = PLAIN_STATE;

/** One wrong call on a layer that is in order. */
export interface WrongCall {
  readonly id: string;
  readonly clause: string;
  readonly code: string;
  readonly needs?: Rule["needs"];
  readonly config?: Partial<BatchNormConfig>;
  readonly state?: StateInput;
  call(bench: Bench, layer: ReturnType<Bench["create"]>): unknown;
}

/** Calls that no layer may act on. */
export const WRONG_CALLS: readonly WrongCall[] = [
  { id: "rank-1", clause: "3.3", code: "invalid-rank", call: (bench, layer) => layer.call(bench.tensor([1, 2], [2])) },
  { id: "rank-0", clause: "3.3", code: "invalid-rank", call: (bench, layer) => layer.call(bench.tensor([1], [])) },
  { id: "axis-too-large", clause: "3.4", code: "invalid-axis", config: { axis: 2 }, call: (bench, layer) => layer.call(bench.tensor()) },
  { id: "axis-too-small", clause: "3.4", code: "invalid-axis", config: { axis: -3 }, call: (bench, layer) => layer.call(bench.tensor()) },
  { id: "channels", clause: "3.5", code: "channel-mismatch", call: (bench, layer) => layer.call(bench.tensor(PLAIN_X, [2, 3])) },
  {
    id: "channels-twice",
    clause: "3.5",
    code: "channel-mismatch",
    call: (bench, layer) => layer.call(bench.tensor([...PLAIN_X, ...PLAIN_X], [3, 4])),
  },
  { id: "channels-half", clause: "3.5", code: "channel-mismatch", call: (bench, layer) => layer.call(bench.tensor(PLAIN_X, [6, 1])) },
  {
    id: "channels-on-axis",
    clause: "3.5",
    code: "channel-mismatch",
    config: { axis: 0 },
    call: (bench, layer) => layer.call(bench.tensor(), { training: true }),
  },
  {
    id: "unknown-option",
    clause: "2.5",
    code: "invalid-argument",
    call: (bench, layer) => layer.call(bench.tensor(), { trainig: true } as never),
  },
  {
    id: "options-of-a-promise",
    clause: "14.1",
    code: "invalid-argument",
    call: (bench, layer) => layer.call(bench.tensor(), Promise.resolve({}) as never),
  },
  {
    id: "options-of-a-map",
    clause: "14.1",
    code: "invalid-argument",
    call: (bench, layer) => layer.call(bench.tensor(), new Map() as never),
  },
  { id: "options-null", clause: "2.5", code: "invalid-argument", call: (bench, layer) => layer.call(bench.tensor(), null as never) },
  { id: "x-null", clause: "14.1", code: "invalid-argument", call: (_, layer) => layer.call(null) },
  { id: "x-number", clause: "14.1", code: "invalid-argument", call: (_, layer) => layer.call(1) },
  { id: "trainable-not-boolean", clause: "2.5", code: "invalid-argument", call: (_, layer) => Object.assign(layer, { trainable: "no" }) },
  {
    id: "mask-number",
    clause: "14.1",
    code: "invalid-argument",
    needs: ["masks"],
    call: (bench, layer) => layer.call(bench.tensor(), { mask: 1 }),
  },
  {
    id: "dy-null",
    clause: "14.1",
    code: "invalid-argument",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      return layer.backward(null);
    },
  },
  {
    id: "backward-unknown-option",
    clause: "2.5",
    code: "invalid-argument",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      return layer.backward(bench.tensor(), { outt: bench.tensor() } as never);
    },
  },
  {
    id: "backward-after-new-statistics",
    clause: "10.7",
    code: "no-forward",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      await layer.setState({ statistics: { movingMean: statistics.movingMean } });
      return layer.backward(bench.tensor());
    },
  },
  { id: "set-promise", clause: "14.1", code: "invalid-state", call: (_, layer) => layer.setState(Promise.resolve({}) as never) },
  { id: "set-null", clause: "1.1", code: "invalid-state", call: (_, layer) => layer.setState(null as never) },
  { id: "set-text", clause: "1.1", code: "invalid-state", call: (_, layer) => layer.setState({ parameters: { gamma: "12" } } as never) },
  {
    id: "set-longer",
    clause: "1.2",
    code: "wrong-length",
    call: (_, layer) => layer.setState({ statistics: { movingVariance: [1, 1, 1] } }),
  },
  {
    id: "set-beta-with-center-off",
    clause: "8.3",
    code: "unexpected-parameter",
    config: { center: false },
    state: { parameters: { gamma: parameters.gamma }, statistics },
    call: (_, layer) => layer.setState({ statistics: { movingMean: [9, 9] }, parameters: { beta: [9, 9] } }),
  },
  {
    id: "gradient-not-boolean",
    clause: "4.1",
    code: "invalid-argument",
    call: (bench, layer) => layer.call(bench.tensor(), { gradient: 1 as never }),
  },
  {
    id: "training-not-boolean",
    clause: "4.1",
    code: "invalid-argument",
    call: (bench, layer) => layer.call(bench.tensor(), { training: "yes" as never }),
  },
  {
    id: "empty-training",
    clause: "6.5",
    code: "empty-batch",
    needs: ["training"],
    call: (bench, layer) => layer.call(bench.tensor([], [0, 2]), { training: true }),
  },
  {
    id: "empty-training-inside",
    clause: "6.5",
    code: "empty-batch",
    needs: ["training"],
    config: { axis: 1 },
    call: (bench, layer) => layer.call(bench.tensor([], [3, 2, 0]), { training: true }),
  },
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
  {
    id: "mask-in-inference",
    clause: "9.5",
    code: "invalid-mask",
    needs: ["masks"],
    call: (bench, layer) => layer.call(bench.tensor(), { mask: bench.mask([1, 1], [2]) }),
  },
  {
    id: "mask-when-frozen",
    clause: "9.5",
    code: "invalid-mask",
    needs: ["training", "masks"],
    config: { trainable: false },
    call: (bench, layer) => layer.call(bench.tensor(), { training: true, mask: bench.mask([1, 1], [2]) }),
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
    id: "out-bool",
    clause: "17.4",
    code: "invalid-out",
    needs: ["out"],
    call: (bench, layer) => layer.call(bench.tensor(), { out: bench.mask([0, 0, 0, 0, 0, 0], [3, 2]) }),
  },
  {
    id: "backward-out-shape",
    clause: "17.4",
    code: "invalid-out",
    needs: ["out", "gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      return layer.backward(bench.tensor(), { out: bench.tensor([0, 0, 0, 0], [2, 2]) });
    },
  },
  {
    id: "backward-out-is-x",
    clause: "17.4",
    code: "invalid-out",
    needs: ["out", "gradients"],
    call: async (bench, layer) => {
      const x = bench.tensor();
      await layer.call(x, { gradient: true });
      return layer.backward(bench.tensor(), { out: x });
    },
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
  {
    id: "backward-without-forward",
    clause: "10.7",
    code: "no-forward",
    needs: ["gradients"],
    call: (bench, layer) => layer.backward(bench.tensor()),
  },
  {
    id: "backward-after-plain-inference",
    clause: "10.7",
    code: "no-forward",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      await layer.call(bench.tensor());
      return layer.backward(bench.tensor());
    },
  },
  {
    id: "backward-after-training-without",
    clause: "10.7",
    code: "no-forward",
    needs: ["training", "gradients"],
    // Momentum 1 leaves the statistics as they are, so that the state may be compared.
    config: { momentum: 1 },
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { training: true });
      await layer.call(bench.tensor(), { training: true, gradient: false });
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
  {
    id: "dy-bool",
    clause: "13.2",
    code: "unknown-dtype",
    needs: ["gradients"],
    call: async (bench, layer) => {
      await layer.call(bench.tensor(), { gradient: true });
      return layer.backward(bench.mask([1, 0, 1, 0, 1, 1], [3, 2]));
    },
  },
  {
    id: "set-gamma-with-scale-off",
    clause: "8.3",
    code: "unexpected-parameter",
    config: { scale: false },
    state: { parameters: { beta: parameters.beta }, statistics },
    call: (_, layer) => layer.setState({ parameters: { gamma: [9, 9] } }),
  },
  {
    id: "set-gamma-to-null",
    clause: "8.3",
    code: "missing-parameter",
    call: (_, layer) => layer.setState({ parameters: { gamma: null } }),
  },
  {
    id: "set-wrong-length",
    clause: "1.2",
    code: "wrong-length",
    call: (_, layer) => layer.setState({ parameters: { beta: [9, 9], gamma: [9] } }),
  },
  {
    id: "set-negative-variance",
    clause: "1.2",
    code: "negative-variance",
    call: (_, layer) => layer.setState({ statistics: { movingMean: [9, 9], movingVariance: [-1, 1] } }),
  },
  { id: "set-unknown-field", clause: "1.1", code: "invalid-state", call: (_, layer) => layer.setState({ gamma: [9, 9] } as never) },
];
