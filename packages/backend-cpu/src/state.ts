import { type BatchNormState, copyState, type Store } from "@batchnorm/spec";
import { Normalizer } from "./kernels/normalizer.ts";

/** A layer's state, and the arrays that its calls work with: made once, so that a call with `out` allocates nothing. */
export interface CpuState extends BatchNormState {
  /** What the moving statistics make of x; as of now where `isCurrent`. */
  readonly moving: Normalizer;
  /** Whether `moving` still has the numbers of the state (clause 5.4). */
  movingIsCurrent: boolean;
  /** Null until the first training step: a layer for inference needs none of it. */
  batch: BatchArrays | null;
}

/** What a training step and its gradients leave behind. A pass that waits for `backward` points here: a new call drops the old one. */
export interface BatchArrays {
  readonly normalizer: Normalizer;
  readonly variance: Float64Array;
}

/** State as typed arrays on the host; see `Store`. */
export const cpuStore: Store<CpuState, "sync"> = {
  create: (state) => ({
    ...state,
    moving: new Normalizer(state.statistics.movingMean.length),
    movingIsCurrent: false,
    batch: null,
  }),
  read: copyState,
  write(state, { parameters, statistics }) {
    if (parameters.gamma) state.parameters.gamma?.set(parameters.gamma);
    if (parameters.beta) state.parameters.beta?.set(parameters.beta);
    if (statistics.movingMean) state.statistics.movingMean.set(statistics.movingMean);
    if (statistics.movingVariance) state.statistics.movingVariance.set(statistics.movingVariance);
    state.movingIsCurrent = false;
  },
};

/** What normalizes with the moving statistics, as they are now. */
export function movingNormalizer(state: CpuState, epsilon: number): Normalizer {
  if (!state.movingIsCurrent) {
    const { movingMean, movingVariance } = state.statistics;
    state.moving.set(movingMean, movingVariance, epsilon, state.parameters.gamma, state.parameters.beta);
    state.movingIsCurrent = true;
  }
  return state.moving;
}

/** Where a training step puts the batch's statistics. */
export function batchArrays(state: CpuState): BatchArrays {
  const { channels } = state.moving;
  state.batch ??= { normalizer: new Normalizer(channels), variance: new Float64Array(channels) };
  return state.batch;
}
