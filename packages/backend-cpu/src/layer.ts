import {
  BatchNormError,
  BatchNormLayer,
  type BatchNormState,
  copyState,
  type ForwardPlan,
  type ForwardResult,
  type Gradients,
  type LayerInit,
  type LayerRuntime,
  type Statistics,
} from "@batchnorm/spec";
import { inputGradient, parameterGradients, type Saved } from "./kernels/backward.ts";
import { moments } from "./kernels/moments.ts";
import { findNonFinite } from "./kernels/non-finite.ts";
import { normalize } from "./kernels/normalize.ts";
import type { CpuTensor, Float32Tensor } from "./tensor.ts";

/**
 * The contract on plain typed arrays, synchronous. State is float32, arithmetic and sums are float64.
 *
 * `call` keeps a reference to x for `backward`, not a copy: x must not be written to in between.
 */
export class CpuLayer extends BatchNormLayer<CpuTensor, Saved, "sync"> {
  readonly #state: BatchNormState;
  // Scratch of `[channels]`, so that a call with `out` allocates nothing. `Saved` points into it: a new call drops the old pass.
  readonly #mean: Float64Array;
  readonly #variance: Float64Array;
  readonly #inverseDeviation: Float64Array;
  readonly #dgamma: Float64Array;
  readonly #dbeta: Float64Array;

  constructor(runtime: LayerRuntime<CpuTensor, "sync">, init: LayerInit) {
    super(runtime, init);
    this.#state = init.state;
    const scratch = (): Float64Array => new Float64Array(this.channels);
    this.#mean = scratch();
    this.#variance = scratch();
    this.#inverseDeviation = scratch();
    this.#dgamma = scratch();
    this.#dbeta = scratch();
  }

  protected override doInfer(x: Float32Tensor, plan: ForwardPlan<CpuTensor>): ForwardResult<CpuTensor, Saved> {
    this.#refuseNonFinite(x, plan);
    this.#useMovingStatistics();
    return this.#normalize(x, plan, null);
  }

  protected override doTrain(x: Float32Tensor, plan: ForwardPlan<CpuTensor>): ForwardResult<CpuTensor, Saved> {
    this.#refuseNonFinite(x, plan);
    const mask = plan.mask === null ? null : (plan.mask.data as Uint8Array);
    const n = moments(x.data, plan.view, mask, this.#mean, this.#variance);
    // A mask that hides everything says nothing about the data (clause 9.4).
    if (n === 0) {
      this.#useMovingStatistics();
      return this.#normalize(x, plan, null);
    }
    const result = this.#normalize(x, plan, { n, mask });
    this.#updateMovingStatistics(n);
    return result;
  }

  protected override doBackward(dy: Float32Tensor, saved: Saved, plan: ForwardPlan<CpuTensor>, out: Float32Tensor | null): Gradients<CpuTensor> {
    const { gamma, beta } = this.#state.parameters;
    parameterGradients(dy.data, saved, plan.view, this.#dgamma, this.#dbeta);
    const dx = out ?? newTensor(plan.shape, dy.data.length);
    inputGradient(dy.data, dx.data, saved, plan.view, gamma, this.#dgamma, this.#dbeta);
    const learned = (present: boolean, gradient: Float64Array): CpuTensor | null =>
      present && plan.mode.parameterGradients ? { data: Float32Array.from(gradient), shape: [this.channels] } : null;
    return { dx, dgamma: learned(gamma !== null, this.#dgamma), dbeta: learned(beta !== null, this.#dbeta) };
  }

  protected override doState(): BatchNormState {
    return copyState(this.#state);
  }

  protected override doSetState(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): void {
    if (parameters.gamma) this.#state.parameters.gamma?.set(parameters.gamma);
    if (parameters.beta) this.#state.parameters.beta?.set(parameters.beta);
    if (statistics.movingMean) this.#state.statistics.movingMean.set(statistics.movingMean);
    if (statistics.movingVariance) this.#state.statistics.movingVariance.set(statistics.movingVariance);
  }

  protected override doDispose(): void {}

  #useMovingStatistics(): void {
    this.#mean.set(this.#state.statistics.movingMean);
    this.#variance.set(this.#state.statistics.movingVariance);
  }

  /** Normalizes with the mean and variance that stand in the scratch. */
  #normalize(x: Float32Tensor, plan: ForwardPlan<CpuTensor>, batch: Saved["batch"]): ForwardResult<CpuTensor, Saved> {
    const { gamma, beta } = this.#state.parameters;
    const { epsilon } = this.config;
    for (let c = 0; c < this.channels; c++) this.#inverseDeviation[c] = 1 / Math.sqrt(this.#variance[c] + epsilon);
    const y = (plan.out as Float32Tensor | null) ?? newTensor(plan.shape, x.data.length);
    normalize(x.data, y.data, plan.view, this.#mean, this.#inverseDeviation, gamma, beta);
    return { y, saved: plan.gradient ? { x: x.data, mean: this.#mean, inverseDeviation: this.#inverseDeviation, batch } : null };
  }

  /** moving = moving * momentum + batch * (1 - momentum), for both statistics (clauses 7.1, 7.3 and 7.4). */
  #updateMovingStatistics(n: number): void {
    const { momentum, varianceEstimator } = this.config;
    const { movingMean, movingVariance } = this.#state.statistics;
    const correction = varianceEstimator === "sample" ? n / Math.max(n - 1, 1) : 1;
    for (let c = 0; c < this.channels; c++) {
      movingMean[c] = movingMean[c] * momentum + this.#mean[c] * (1 - momentum);
      movingVariance[c] = movingVariance[c] * momentum + this.#variance[c] * correction * (1 - momentum);
    }
  }

  #refuseNonFinite(x: Float32Tensor, plan: ForwardPlan<CpuTensor>): void {
    if (this.config.nonFinite !== "reject") return;
    const found = findNonFinite(x.data, plan.view);
    if (found === null) return;
    throw new BatchNormError("non-finite", `x is not finite in channel ${found.channel}`, found.value, "finite numbers, since nonFinite is 'reject'");
  }
}

function newTensor(shape: readonly number[], length: number): Float32Tensor {
  return { data: new Float32Array(length), shape: [...shape] };
}
