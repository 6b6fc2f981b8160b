import {
  type BackwardPass,
  type BatchNormState,
  type FloatTensor,
  type ForwardResult,
  type Gradients,
  type MaskTensor,
  type Pass,
  sizeOf,
} from "@batchnorm/spec";
import { type Channel, CORRECT, type Formulas } from "./formulas.ts";

/** A forward pass over typed arrays. */
export type HostPass = Pass<FloatTensor, BatchNormState, MaskTensor>;

/** What a forward pass keeps for its backward pass. */
export interface Saved {
  readonly channels: readonly Channel[];
  readonly mean: readonly number[];
  readonly inverseDeviation: readonly number[];
  /** How many elements entered the batch statistics; null where the moving ones normalized. */
  readonly n: number | null;
}

type Forward = ForwardResult<FloatTensor, Saved>;

/** The three functions that `defineBackend` takes. */
export interface ReferenceArithmetic {
  infer(pass: HostPass): Forward;
  train(pass: HostPass): Forward;
  backward(pass: BackwardPass<FloatTensor, BatchNormState, Saved, MaskTensor>): Gradients<FloatTensor>;
}

/**
 * The plain arithmetic, every step of which can be replaced by a wrong one. It shares no code with a backend or with the
 * oracle.
 */
export function referenceArithmetic(faults: Partial<Formulas>): ReferenceArithmetic {
  const formulas: Formulas = { ...CORRECT, ...faults };
  return {
    infer(pass) {
      const { mode, gradient } = pass;
      const channels = split(formulas, pass);
      const { y, saved } = forward(formulas, pass, channels, formulas.frozenUsesBatch && !mode.parameterGradients);
      if (formulas.movesInInference(mode.parameterGradients)) move(formulas, pass, channels);
      return gradient ? { y, saved } : { y };
    },
    train(pass) {
      const channels = split(formulas, pass);
      const hidden = !channels[0].visible.includes(true);
      const { y, saved } = forward(formulas, pass, channels, !hidden && !formulas.trainsWithMoving);
      if (hidden) formulas.onAllHidden(pass.state.statistics, pass.config.momentum);
      else move(formulas, pass, channels);
      return pass.gradient ? { y, saved } : { y };
    },
    backward: ({ dy, out, pass, saved }) => backward(formulas, dy, out, pass, saved),
  };
}

function split({ channelOf, sees }: Formulas, { x, view, mask, config }: HostPass): Channel[] {
  const { channels, inner } = view;
  const found = Array.from({ length: channels }, () => ({ at: [] as number[], values: [] as number[], visible: [] as boolean[] }));
  for (let k = 0; k < x.data.length; k++) {
    const channel = found[channelOf(k, view, config.axis)];
    const position = Math.floor(k / (channels * inner)) * inner + (k % inner);
    channel.at.push(k);
    channel.values.push(x.data[k]);
    channel.visible.push(mask === null || sees(mask.data[position]));
  }
  return found;
}

function forward(
  formulas: Formulas,
  pass: HostPass,
  channels: readonly Channel[],
  useBatch: boolean,
): Required<Forward> & { saved: Saved } {
  const { config, state, shape, out } = pass;
  const statistics = useBatch ? state.statistics : formulas.statistics(state.statistics, state);
  const y = out ?? { data: new Float32Array(sizeOf(shape)), shape };
  const moments = channels.map((channel, c) =>
    useBatch
      ? formulas.moments(channel, c, channels, statistics)
      : { mean: statistics.movingMean[c], variance: statistics.movingVariance[c] },
  );
  const inverseDeviation = moments.map(({ variance }) => formulas.inverseDeviation(variance, config.epsilon));
  channels.forEach(({ at, values, visible }, c) => {
    const gamma = state.parameters.gamma === null ? 1 : formulas.gamma(state.parameters.gamma, state)[c];
    const beta = state.parameters.beta?.[c] ?? 0;
    at.forEach((k, j) => {
      y.data[k] = formulas.output(values[j], moments[c].mean, inverseDeviation[c], gamma, beta, { visible: visible[j], config });
    });
  });
  const n = useBatch ? channels[0].visible.filter(Boolean).length : null;
  return { y, saved: { channels, mean: moments.map(({ mean }) => mean), inverseDeviation, n } };
}

function move(formulas: Formulas, { state, config }: HostPass, channels: readonly Channel[]): void {
  const { movingMean, movingVariance } = state.statistics;
  const { momentum, varianceEstimator } = config;
  channels.forEach((channel, c) => {
    const { mean, variance } = formulas.moments(channel, c, channels, state.statistics);
    const n = channel.visible.filter(Boolean).length;
    movingMean[c] = formulas.move(movingMean[c], mean, momentum, state);
    movingVariance[c] = formulas.move(movingVariance[c], formulas.entering(variance, n, varianceEstimator), momentum, state);
  });
}

function backward(formulas: Formulas, dy: FloatTensor, out: FloatTensor | null, pass: HostPass, saved: Saved): Gradients<FloatTensor> {
  const { state, shape, view, mode } = pass;
  const { gamma, beta } = state.parameters;
  const dx = out ?? { data: new Float32Array(sizeOf(shape)), shape };
  const sums = saved.channels.map(({ at, values }, c) => {
    const upstream = at.map((k) => dy.data[k]);
    return formulas.sums(upstream, values, saved.mean[c], saved.inverseDeviation[c], gamma?.[c] ?? 1);
  });
  saved.channels.forEach(({ at, values, visible }, c) => {
    const slope = (gamma?.[c] ?? 1) * saved.inverseDeviation[c];
    at.forEach((k, j) => {
      const xHat = (values[j] - saved.mean[c]) * saved.inverseDeviation[c];
      dx.data[k] = slope * (dy.data[k] - formulas.through(sums[c], xHat, saved.n, visible[j], at.length));
    });
  });
  const vector = (name: "dgamma" | "dbeta"): FloatTensor => ({
    data: Float32Array.from(sums, (sum) => sum[name]),
    shape: [view.channels],
  });
  const learns = formulas.learns(mode.parameterGradients);
  return {
    dx,
    dgamma: learns && formulas.has(gamma) ? vector("dgamma") : null,
    dbeta: learns && formulas.has(beta) ? vector("dbeta") : null,
  };
}
