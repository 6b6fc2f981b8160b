import {
  type BatchNormConfig,
  BatchNormError,
  type BatchNormState,
  copyState,
  type ForwardPlan,
  type ForwardResult,
  type Gradients,
  type HostTensor,
  type LayerInit,
  sizeOf,
} from "@batchnorm/spec";
import type { Arithmetic } from "./arithmetic.ts";

/** One channel of a batch: the offsets of its elements, their numbers, and which of them the mask lets through. */
export interface Channel {
  readonly at: readonly number[];
  readonly values: readonly number[];
  readonly visible: readonly boolean[];
}

/** What a forward pass keeps for its backward pass. */
export interface Saved {
  readonly x: HostTensor;
  readonly channels: readonly Channel[];
  readonly mean: readonly number[];
  readonly inverseDeviation: readonly number[];
  readonly n: number | null;
}

/**
 * The plain arithmetic of one layer, whose every step can be replaced by a wrong one. It shares no code with a backend or with
 * the oracle.
 */
export class ReferenceKernel {
  readonly #config: BatchNormConfig;
  readonly #state: BatchNormState;
  readonly #arithmetic: Arithmetic;

  constructor({ config, state }: LayerInit, arithmetic: Arithmetic) {
    this.#config = config;
    this.#state = state;
    this.#arithmetic = arithmetic;
  }

  infer(x: HostTensor, plan: ForwardPlan<HostTensor>): ForwardResult<HostTensor, Saved> {
    const { frozenUsesBatch, movesInInference } = this.#arithmetic;
    this.#reject(x, plan);
    if (frozenUsesBatch && !plan.mode.parameterGradients) return this.#forward(x, plan, true);
    const result = this.#forward(x, plan, false);
    if (movesInInference(plan.mode.parameterGradients)) this.#move(result.saved!.channels);
    return plan.gradient ? result : { y: result.y, saved: null };
  }

  train(x: HostTensor, plan: ForwardPlan<HostTensor>): ForwardResult<HostTensor, Saved> {
    if (this.#arithmetic.movesBeforeChecking) this.#move(this.#split(x, plan));
    this.#reject(x, plan);
    const channels = this.#split(x, plan);
    const empty = !channels[0].visible.includes(true);
    const result = this.#forward(x, plan, !empty && !this.#arithmetic.trainsWithMoving);
    if (!empty) this.#move(channels);
    else this.#arithmetic.onAllHidden(this.#state.statistics, this.#config.momentum);
    return plan.gradient ? result : { y: result.y, saved: null };
  }

  #forward(x: HostTensor, plan: ForwardPlan<HostTensor>, useBatch: boolean): ForwardResult<HostTensor, Saved> {
    const { parameters } = this.#state;
    const statistics = useBatch ? this.#state.statistics : this.#arithmetic.statistics(this.#state.statistics, this);
    const arithmetic = this.#arithmetic;
    const channels = this.#split(x, plan);
    const y = plan.out ?? { data: new Float32Array(sizeOf(plan.shape)), shape: [...plan.shape] };
    const moments = channels.map((channel, c) =>
      useBatch
        ? arithmetic.moments(channel, c, channels, statistics)
        : { mean: statistics.movingMean[c], variance: statistics.movingVariance[c] },
    );
    const inverseDeviation = moments.map(({ variance }) => arithmetic.inverseDeviation(variance, this.#config.epsilon));
    channels.forEach(({ at, values, visible }, c) => {
      const gamma = parameters.gamma === null ? 1 : arithmetic.gamma(parameters.gamma, this)[c];
      const beta = parameters.beta?.[c] ?? 0;
      at.forEach((k, j) => {
        y.data[k] = arithmetic.output(values[j], moments[c].mean, inverseDeviation[c], gamma, beta, {
          visible: visible[j],
          config: this.#config,
        });
      });
    });
    const n = useBatch ? channels[0].visible.filter(Boolean).length : null;
    return { y, saved: { x, channels, mean: moments.map(({ mean }) => mean), inverseDeviation, n } };
  }

  #move(channels: readonly Channel[]): void {
    const { movingMean, movingVariance } = this.#state.statistics;
    const { momentum, varianceEstimator } = this.#config;
    channels.forEach((channel, c) => {
      const { mean, variance } = this.#arithmetic.moments(channel, c, channels, this.#state.statistics);
      const n = channel.visible.filter(Boolean).length;
      movingMean[c] = this.#arithmetic.move(movingMean[c], mean, momentum, this);
      movingVariance[c] = this.#arithmetic.move(
        movingVariance[c],
        this.#arithmetic.entering(variance, n, varianceEstimator),
        momentum,
        this,
      );
    });
  }

  backward(dy: HostTensor, saved: Saved, plan: ForwardPlan<HostTensor>, out: HostTensor | null): Gradients<HostTensor> {
    const { gamma, beta } = this.#state.parameters;
    const arithmetic = this.#arithmetic;
    const dx = out ?? { data: new Float32Array(dy.data.length), shape: [...plan.shape] };
    const sums = saved.channels.map(({ at, values }, c) => {
      const upstream = at.map((k) => dy.data[k]);
      return arithmetic.sums(upstream, values, saved.mean[c], saved.inverseDeviation[c], gamma?.[c] ?? 1);
    });
    saved.channels.forEach(({ at, values, visible }, c) => {
      const slope = (gamma?.[c] ?? 1) * saved.inverseDeviation[c];
      at.forEach((k, j) => {
        const xHat = (values[j] - saved.mean[c]) * saved.inverseDeviation[c];
        dx.data[k] = slope * (dy.data[k] - arithmetic.through(sums[c], xHat, saved.n, visible[j], at.length));
      });
    });
    const vector = (name: "dgamma" | "dbeta"): HostTensor => ({
      data: Float32Array.from(sums, (sum) => sum[name]),
      shape: [plan.view.channels],
    });
    const learns = arithmetic.learns(plan.mode.parameterGradients);
    return {
      dx,
      dgamma: learns && arithmetic.has(gamma) ? vector("dgamma") : null,
      dbeta: learns && arithmetic.has(beta) ? vector("dbeta") : null,
    };
  }

  state(): BatchNormState {
    return copyState(this.#state);
  }

  setState(
    parameters: { gamma?: Float32Array; beta?: Float32Array },
    statistics: { movingMean?: Float32Array; movingVariance?: Float32Array },
  ): void {
    for (const [to, from] of [
      [this.#state.parameters.gamma, parameters.gamma],
      [this.#state.parameters.beta, parameters.beta],
      [this.#state.statistics.movingMean, statistics.movingMean],
      [this.#state.statistics.movingVariance, statistics.movingVariance],
    ] as const) {
      if (from !== undefined) to?.set(from);
    }
  }

  #split(x: HostTensor, plan: ForwardPlan<HostTensor>): Channel[] {
    const { channels, inner } = plan.view;
    const split = Array.from({ length: channels }, () => ({ at: [] as number[], values: [] as number[], visible: [] as boolean[] }));
    for (let k = 0; k < x.data.length; k++) {
      const c = this.#arithmetic.channelOf(k, plan.view, this.#config.axis);
      const position = Math.floor(k / (channels * inner)) * inner + (k % inner);
      split[c].at.push(k);
      split[c].values.push(x.data[k]);
      split[c].visible.push(plan.mask === null || this.#arithmetic.sees(plan.mask.data[position]));
    }
    return split;
  }

  #reject(x: HostTensor, plan: ForwardPlan<HostTensor>): void {
    if (this.#config.nonFinite !== "reject") return;
    this.#arithmetic.reject(x.data, plan.view, (k, { channels, inner }) => {
      if (k < 0) return;
      const channel = Math.floor(k / inner) % channels;
      throw new BatchNormError("non-finite", `x is not finite in channel ${channel}`, x.data[k], "finite numbers");
    });
  }
}
