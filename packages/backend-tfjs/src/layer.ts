import {
  BatchNormLayer,
  type BatchNormState,
  type ForwardPlan,
  type ForwardResult,
  type Gradients,
  type LayerInit,
  type LayerRuntime,
  type Statistics,
} from "@batchnorm/spec";
import type { Normalizer } from "./kernels/arithmetic.ts";
import { movingAverage } from "./moving-average.ts";
import { batchMoments, gradients, normalize, type Pass, pack } from "./pass.ts";
import type { Run } from "./runtime.ts";
import type { Tensor, Tf, Variable } from "./tf.ts";

/** What a forward pass keeps for its backward pass; tensors of the layer's own, which share their data with the caller's. */
interface Saved extends Pick<Pass, "mean" | "variance" | "gamma" | "batch"> {
  readonly x: Tensor;
}

/**
 * The contract on tfjs. State lives in tf.Variables on the device; nothing but `state` reads it back.
 *
 * Inside `tf.grad`, `tf.variableGrads` or `optimizer.minimize` the output of `call` has its gradient on the tape, for x and for
 * `gamma` and `beta`; `gradient: false` then saves the copy of the operands that `backward` would need.
 */
export class TfjsLayer extends BatchNormLayer<Tensor, Saved, "sync", "async"> {
  /** A trainable variable, `[channels]`; null where scale is off. */
  readonly gamma: Variable | null;
  /** A trainable variable, `[channels]`; null where center is off. */
  readonly beta: Variable | null;
  readonly #movingMean: Variable;
  readonly #movingVariance: Variable;
  readonly #tf: Tf;
  readonly #run: Run;

  constructor(tf: Tf, run: Run, runtime: LayerRuntime<Tensor, "sync">, { config, state }: LayerInit) {
    super(runtime, { config, state });
    this.#tf = tf;
    this.#run = run;
    const { parameters, statistics } = state;
    const variable = (values: Float32Array, trainable: boolean): Variable =>
      run(() => tf.tidy(() => tf.variable(tf.tensor(values), trainable)));
    this.gamma = parameters.gamma && variable(parameters.gamma, config.trainable);
    this.beta = parameters.beta && variable(parameters.beta, config.trainable);
    this.#movingMean = variable(statistics.movingMean, false);
    this.#movingVariance = variable(statistics.movingVariance, false);
  }

  override freeze(): void {
    super.freeze();
    this.#letLearn(false);
  }

  override unfreeze(): void {
    super.unfreeze();
    this.#letLearn(true);
  }

  protected override doInfer(x: Tensor, plan: ForwardPlan<Tensor>): ForwardResult<Tensor, Saved> {
    return this.#run(() => this.#forward(x, plan, { ...this.#moving, batch: null }));
  }

  protected override doTrain(x: Tensor, plan: ForwardPlan<Tensor>): ForwardResult<Tensor, Saved> {
    return this.#tidy(() => {
      const statistics = batchMoments(this.#tf, x, plan.view, plan.mask, this.#moving);
      const next = movingAverage(this.#tf, this.#moving, { ...statistics, view: plan.view }, this.config);
      const result = this.#forward(x, plan, statistics);
      // Nothing can fail any more (clause 6.3).
      this.#movingMean.assign(next.mean as never);
      this.#movingVariance.assign(next.variance as never);
      return result;
    });
  }

  protected override doBackward(dy: Tensor, saved: Saved, plan: ForwardPlan<Tensor>): Gradients<Tensor> {
    const { view, mode } = plan;
    return this.#tidy(() => {
      const pass = { view, epsilon: this.config.epsilon, parameterGradients: mode.parameterGradients };
      const { dx, parameters } = gradients(this.#tf, dy, saved, pass);
      return { dx, dgamma: this.gamma && (parameters?.dgamma ?? null), dbeta: this.beta && (parameters?.dbeta ?? null) };
    });
  }

  protected override async doState(): Promise<BatchNormState> {
    const variables = [this.gamma, this.beta, this.#movingMean, this.#movingVariance];
    // Clones hold the values of this moment; a training step may come before they are read.
    const snapshots = this.#run(() => variables.map((variable) => variable && this.#tf.keep(this.#tf.clone(variable))));
    try {
      const read = async (tensor: Tensor | null): Promise<Float32Array | null> => tensor && ((await tensor.data()) as Float32Array).slice();
      const [gamma, beta, movingMean, movingVariance] = await Promise.all(snapshots.map(read));
      return { parameters: { gamma, beta }, statistics: { movingMean: movingMean!, movingVariance: movingVariance! } };
    } finally {
      for (const snapshot of snapshots) snapshot?.dispose();
    }
  }

  protected override doSetState(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): void {
    this.#tidy(() => {
      const updates: [Variable | null, Float32Array | undefined][] = [
        [this.gamma, parameters.gamma],
        [this.beta, parameters.beta],
        [this.#movingMean, statistics.movingMean],
        [this.#movingVariance, statistics.movingVariance],
      ];
      // All are made before the first is assigned: an error leaves the old state.
      const tensors = updates.map(([, values]) => values && this.#tf.tensor(values));
      updates.forEach(([variable], index) => {
        const tensor = tensors[index];
        if (tensor) variable?.assign(tensor as never);
      });
    });
  }

  protected override doDispose(): void {
    this.#tf.dispose([this.gamma, this.beta, this.#movingMean, this.#movingVariance].filter((variable) => variable !== null));
  }

  protected override doReleaseSaved(saved: Saved): void {
    this.#tf.dispose(pack(saved)[0]);
  }

  get #moving(): Normalizer<Tensor> {
    return { mean: this.#movingMean, variance: this.#movingVariance };
  }

  #forward(x: Tensor, plan: ForwardPlan<Tensor>, statistics: Pick<Pass, "mean" | "variance" | "batch">): ForwardResult<Tensor, Saved> {
    const { gamma, beta } = this;
    const { view, mode, gradient } = plan;
    const pass: Pass = { ...statistics, gamma, beta, view, epsilon: this.config.epsilon, parameterGradients: mode.parameterGradients };
    const y = normalize(this.#tf, x, pass);
    if (!gradient) return { y, saved: null };
    const [operands, restore] = pack({ ...pass, x });
    return { y, saved: restore(operands.map((operand) => this.#tf.keep(this.#tf.clone(operand)))) };
  }

  #letLearn(trainable: boolean): void {
    for (const parameter of [this.gamma, this.beta]) if (parameter !== null) parameter.trainable = trainable;
  }

  #tidy<Value>(work: () => Value): Value {
    return this.#run(() => this.#tf.tidy(work as () => never)) as Value;
  }
}
