import { type BatchNormState, hostStore, type Store } from "@batchnorm/spec";
import { Normalizer } from "./kernels/normalizer.ts";

/** A layer's state, and the arrays that its calls work with: made once, so that a call with `out` allocates nothing. */
export interface CpuState extends BatchNormState {
  /** What the moving statistics make of x; as of now where `isCurrent`. */
  readonly moving: Normalizer;
  /** Whether `moving` still has the numbers of the state (clause 5.4). */
  movingIsCurrent: boolean;
  /** Null until the first training step or gradient: a layer for inference needs none of them. */
  training: TrainingArrays | null;
}

/** What training works with, `[channels]`. A pass that waits for `backward` points here: a new call drops the old one. */
export interface TrainingArrays {
  /** What the batch's own statistics make of x. */
  readonly batch: Normalizer;
  readonly variance: Float64Array;
  readonly dgamma: Float64Array;
  readonly dbeta: Float64Array;
}

/** State as typed arrays on the host; see `Store`. */
export const cpuStore: Store<CpuState, "sync"> = {
  create: (state) => ({
    ...state,
    moving: new Normalizer(state.statistics.movingMean.length),
    movingIsCurrent: false,
    training: null,
  }),
  read: hostStore.read,
  write(state, update) {
    hostStore.write(state, update);
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

export function trainingArrays(state: CpuState): TrainingArrays {
  const { channels } = state.moving;
  const float64 = (): Float64Array => new Float64Array(channels);
  state.training ??= { batch: new Normalizer(channels), variance: float64(), dgamma: float64(), dbeta: float64() };
  return state.training;
}
