import type { BatchNormState, Store } from "@batchnorm/spec";
import type { Tensor } from "onnxruntime-common";
import type { OrtRuntime } from "./runtime.ts";
import { HeldSessions, type Sessions } from "./sessions.ts";
import { hostTensor } from "./tensors.ts";

/**
 * What a layer holds: its state as the graphs take it, gamma and beta in one tensor of `[2, channels]`, mean and
 * variance in another, and its share of the backend's sessions. A parameter that is off is there as ones or zeros. The
 * statistics lie where the last training step left them.
 */
export interface LayerState {
  readonly channels: number;
  readonly has: { readonly gamma: boolean; readonly beta: boolean };
  parameters: Tensor;
  statistics: Tensor;
  readonly sessions: HeldSessions;
}

/** Two vectors of `[channels]`. */
type Pair = readonly [Float32Array, Float32Array];

/** Keeps the states of layers as tensors of the runtime. */
export function tensorStore(ort: OrtRuntime, sessions: Sessions): Store<LayerState, "async"> {
  return {
    create({ parameters: { gamma, beta }, statistics: { movingMean, movingVariance } }) {
      const channels = movingMean.length;
      return {
        channels,
        has: { gamma: gamma !== null, beta: beta !== null },
        parameters: pack(ort, [gamma ?? new Float32Array(channels).fill(1), beta ?? new Float32Array(channels)]),
        statistics: pack(ort, [movingMean, movingVariance]),
        sessions: new HeldSessions(sessions),
      };
    },
    async read({ has, parameters, statistics }): Promise<BatchNormState> {
      const [gamma, beta] = await unpack(parameters);
      const [movingMean, movingVariance] = await unpack(statistics);
      return {
        parameters: { gamma: has.gamma ? gamma : null, beta: has.beta ? beta : null },
        statistics: { movingMean, movingVariance },
      };
    },
    async write(state, { parameters: { gamma, beta }, statistics: { movingMean, movingVariance } }) {
      // Both before either is replaced, so that a read that fails leaves the state whole.
      const parameters = await merge(ort, state.parameters, gamma, beta);
      const statistics = await merge(ort, state.statistics, movingMean, movingVariance);
      state.parameters = parameters;
      replaceStatistics(state, statistics);
    },
    async dispose({ parameters, statistics, sessions: held }) {
      parameters.dispose();
      statistics.dispose();
      await held.release();
    },
  };
}

/** Takes what a training step left, and frees what was there. */
export function replaceStatistics(state: LayerState, statistics: Tensor): void {
  if (statistics !== state.statistics) state.statistics.dispose();
  state.statistics = statistics;
}

/**
 * The tensor with the rows that are given in place of its own. It is read only where one row stays, since it may lie on
 * a GPU.
 */
async function merge(ort: OrtRuntime, tensor: Tensor, first: Float32Array | undefined, second: Float32Array | undefined): Promise<Tensor> {
  if (first === undefined && second === undefined) return tensor;
  if (first !== undefined && second !== undefined) return pack(ort, [first, second]);
  const [oldFirst, oldSecond] = await unpack(tensor);
  return pack(ort, [first ?? oldFirst, second ?? oldSecond]);
}

function pack(ort: OrtRuntime, [first, second]: Pair): Tensor {
  const channels = first.length;
  const packed = new Float32Array(2 * channels);
  packed.set(first);
  packed.set(second, channels);
  return hostTensor(ort, packed, [2, channels]);
}

async function unpack(tensor: Tensor): Promise<Pair> {
  // Downloaded from a GPU, the tensor lies in the host's memory from here on: `true` frees its buffer there.
  const packed = (await tensor.getData(true)) as Float32Array;
  const channels = packed.length / 2;
  return [packed.slice(0, channels), packed.slice(channels)];
}
