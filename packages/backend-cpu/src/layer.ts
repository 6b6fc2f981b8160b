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
import type { Engine } from "./engine.ts";
import type { Saved } from "./kernels/backward.ts";
import type { Kernels } from "./kernels/kernels.ts";
import { Normalizer } from "./kernels/normalizer.ts";
import type { CpuTensor, Float32Tensor } from "./tensor.ts";

/**
 * The contract on typed arrays, synchronous. State is float32, sums are float64.
 *
 * `call` keeps a reference to x for `backward`, not a copy: x must not be written to in between.
 */
export class CpuLayer extends BatchNormLayer<CpuTensor, Saved, "sync"> {
  readonly #engine: Engine;
  readonly #state: BatchNormState;
  // All of `[channels]`, made once, so that a call with `out` allocates nothing. `Saved` points here: a new call drops the old pass.
  readonly #moving: Normalizer;
  readonly #batch: Normalizer;
  readonly #variance: Float64Array;
  readonly #dgamma: Float64Array;
  readonly #dbeta: Float64Array;
  /** Whether #moving still has the numbers of the state (clause 5.4). */
  #movingIsCurrent = false;

  constructor(runtime: LayerRuntime<CpuTensor, "sync">, init: LayerInit, engine: Engine) {
    super(runtime, init);
    const { gamma, beta } = init.state.parameters;
    this.#engine = engine;
    this.#state = init.state;
    this.#moving = new Normalizer(this.channels, gamma, beta);
    this.#batch = new Normalizer(this.channels, gamma, beta);
    this.#variance = new Float64Array(this.channels);
    this.#dgamma = new Float64Array(this.channels);
    this.#dbeta = new Float64Array(this.channels);
  }

  protected override doInfer(x: Float32Tensor, plan: ForwardPlan<CpuTensor>): ForwardResult<CpuTensor, Saved> {
    this.#refuseNonFinite(x, plan);
    return this.#normalize(x, plan, this.#movingNormalizer(), null);
  }

  protected override doTrain(x: Float32Tensor, plan: ForwardPlan<CpuTensor>): ForwardResult<CpuTensor, Saved> {
    this.#refuseNonFinite(x, plan);
    const mask = plan.mask === null ? null : (plan.mask.data as Uint8Array);
    const n = this.#kernels(x).moments(x.data, plan.view, mask, this.#batch.mean, this.#variance);
    // A mask that hides everything says nothing about the data (clause 9.4).
    if (n === 0) return this.#normalize(x, plan, this.#movingNormalizer(), null);
    this.#batch.setVariance(this.#variance, this.config.epsilon);
    const result = this.#normalize(x, plan, this.#batch, { n, mask });
    this.#updateMovingStatistics(n);
    return result;
  }

  protected override doBackward(
    dy: Float32Tensor,
    saved: Saved,
    plan: ForwardPlan<CpuTensor>,
    out: Float32Tensor | null,
  ): Gradients<CpuTensor> {
    const { gamma, beta } = this.#state.parameters;
    const { parameterGradients } = plan.mode;
    const kernels = this.#kernels(dy);
    // A frozen layer has nobody who would ask for the sums.
    if (parameterGradients || saved.batch !== null) kernels.parameterGradients(dy.data, saved, plan.view, this.#dgamma, this.#dbeta);
    const dx = out ?? newTensor(plan.shape, dy.data.length);
    kernels.inputGradient(dy.data, dx.data, saved, plan.view, this.#dgamma, this.#dbeta);
    const learned = (present: boolean, gradient: Float64Array): CpuTensor | null =>
      present && parameterGradients ? { data: Float32Array.from(gradient), shape: [this.channels] } : null;
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
    this.#movingIsCurrent = false;
  }

  protected override doDispose(): void {}

  #kernels(x: Float32Tensor): Kernels {
    return this.#engine.kernelsFor(x.data.length);
  }

  #movingNormalizer(): Normalizer {
    if (!this.#movingIsCurrent) {
      const { movingMean, movingVariance } = this.#state.statistics;
      this.#moving.mean.set(movingMean);
      this.#moving.setVariance(movingVariance, this.config.epsilon);
      this.#movingIsCurrent = true;
    }
    return this.#moving;
  }

  #normalize(
    x: Float32Tensor,
    plan: ForwardPlan<CpuTensor>,
    normalizer: Normalizer,
    batch: Saved["batch"],
  ): ForwardResult<CpuTensor, Saved> {
    const y = (plan.out as Float32Tensor | null) ?? newTensor(plan.shape, x.data.length);
    this.#kernels(x).normalize(x.data, y.data, plan.view, normalizer);
    return { y, saved: plan.gradient ? { x: x.data, normalizer, batch } : null };
  }

  /** moving = moving * momentum + batch * (1 - momentum), for both statistics (clauses 7.1, 7.3 and 7.4). */
  #updateMovingStatistics(n: number): void {
    const { momentum, varianceEstimator } = this.config;
    const { movingMean, movingVariance } = this.#state.statistics;
    const { mean } = this.#batch;
    const correction = varianceEstimator === "sample" ? n / Math.max(n - 1, 1) : 1;
    for (let c = 0; c < this.channels; c++) {
      movingMean[c] = movingMean[c] * momentum + mean[c] * (1 - momentum);
      movingVariance[c] = movingVariance[c] * momentum + this.#variance[c] * correction * (1 - momentum);
    }
    this.#movingIsCurrent = false;
  }

  #refuseNonFinite(x: Float32Tensor, plan: ForwardPlan<CpuTensor>): void {
    if (this.config.nonFinite !== "reject") return;
    const found = this.#kernels(x).findNonFinite(x.data, plan.view);
    if (found === null) return;
    throw new BatchNormError(
      "non-finite",
      `x is not finite in channel ${found.channel}`,
      found.value,
      "finite numbers, since nonFinite is 'reject'",
    );
  }
}

function newTensor(shape: readonly number[], length: number): Float32Tensor {
  return { data: new Float32Array(length), shape: [...shape] };
}
