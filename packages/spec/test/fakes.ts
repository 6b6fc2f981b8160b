import {
  type BatchNormConfig,
  BatchNormLayer,
  type BatchNormState,
  copyState,
  type ForwardPlan,
  type ForwardResult,
  type Gradients,
  type HostTensor,
  initialState,
  type LayerInit,
  type LayerRuntime,
  resolveLayer,
  type Statistics,
  type Supports,
  type TensorAccess,
  type Timing,
} from "../src/index.ts";

export const SUPPORTS: Supports = {
  maxRank: null,
  dtypes: ["float32"],
  training: true,
  gradients: true,
  masks: true,
  out: true,
  varianceEstimators: ["population", "sample"],
  nonFinite: ["propagate", "reject"],
  accumulation: "float64",
  subnormals: "preserved",
};

export const tensors: TensorAccess<HostTensor> = {
  describe: ({ data, shape }) => ({
    shape,
    dtype: data instanceof Float32Array ? "float32" : data instanceof Float64Array ? "float64" : "bool",
    length: data.length,
  }),
  overlaps: (a, b) => a.data.buffer === b.data.buffer,
};

/** A float32 tensor of a shape, filled with one value. */
export function tensor(shape: readonly number[], value = 0): HostTensor {
  return { data: new Float32Array(shape.reduce((size, dimension) => size * dimension, 1)).fill(value), shape };
}

/** A mask that shows everything. */
export function mask(shape: readonly number[]): HostTensor {
  return { data: new Uint8Array(shape.reduce((size, dimension) => size * dimension, 1)).fill(1), shape };
}

export interface FakeSaved {
  readonly id: number;
}

/** Arithmetic that a test can follow by eye: a training step adds 1 to movingMean, y is x plus movingMean before it, dx is dy times the id of its pass. */
class FakeArithmetic {
  readonly log: string[] = [];
  readonly plans: ForwardPlan<HostTensor>[] = [];
  /** The output buffer of each backward. */
  readonly outs: (HostTensor | null)[] = [];
  /** Thrown by whatever runs next. */
  failure: Error | null = null;
  /** Thrown by the next release. */
  releaseFailure: Error | null = null;
  readonly #state: BatchNormState;
  #passes = 0;

  constructor(state: BatchNormState) {
    this.#state = state;
  }

  forward(what: "infer" | "train", x: HostTensor, plan: ForwardPlan<HostTensor>): ForwardResult<HostTensor, FakeSaved> {
    this.#passes++;
    this.log.push(`${what} ${this.#passes}`);
    this.plans.push(plan);
    this.#failIfAsked();
    const { movingMean } = this.#state.statistics;
    const y = { data: Float32Array.from(x.data, (value) => value + movingMean[0]), shape: plan.shape };
    if (what === "train") movingMean.set(movingMean.map((mean) => mean + 1));
    return { y, saved: plan.gradient ? { id: this.#passes } : null };
  }

  backward(dy: HostTensor, saved: FakeSaved, plan: ForwardPlan<HostTensor>, out: HostTensor | null): Gradients<HostTensor> {
    this.log.push(`backward ${saved.id}`);
    this.outs.push(out);
    this.#failIfAsked();
    const parameter = plan.mode.parameterGradients ? tensor([plan.view.channels]) : null;
    return {
      dx: { data: Float32Array.from(dy.data, (value) => value * saved.id), shape: plan.shape },
      dgamma: parameter,
      dbeta: parameter,
    };
  }

  read(): BatchNormState {
    this.log.push("state");
    return copyState(this.#state);
  }

  write(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): void {
    this.log.push("setState");
    this.#failIfAsked();
    if (parameters.gamma) this.#state.parameters.gamma?.set(parameters.gamma);
    if (parameters.beta) this.#state.parameters.beta?.set(parameters.beta);
    if (statistics.movingMean) this.#state.statistics.movingMean.set(statistics.movingMean);
    if (statistics.movingVariance) this.#state.statistics.movingVariance.set(statistics.movingVariance);
  }

  release(saved: FakeSaved): void {
    this.log.push(`release ${saved.id}`);
    const { releaseFailure } = this;
    this.releaseFailure = null;
    if (releaseFailure !== null) throw releaseFailure;
  }

  dispose(): void {
    this.log.push("dispose");
  }

  #failIfAsked(): void {
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
  }
}

/** How a test makes a layer: two channels on the last axis unless it says otherwise. */
export interface FakeOptions {
  readonly config?: Partial<BatchNormConfig>;
  readonly supports?: Partial<Supports>;
}

function fakeInit({ config = {}, supports = {} }: FakeOptions): { supports: Supports; init: LayerInit } {
  const all = { ...SUPPORTS, ...supports };
  return { supports: all, init: resolveLayer(all, config, initialState({ scale: true, center: true, ...config }, 2)) };
}

function fakeRuntime<When extends Timing>(timing: When, supports: Supports): LayerRuntime<HostTensor, When> {
  return { timing, supports, ...tensors };
}

/** A backend that answers at once. */
export class SyncLayer extends BatchNormLayer<HostTensor, FakeSaved, "sync"> {
  readonly fake: FakeArithmetic;

  constructor(options: FakeOptions = {}) {
    const { supports, init } = fakeInit(options);
    super(fakeRuntime("sync", supports), init);
    this.fake = new FakeArithmetic(init.state);
  }

  protected override doInfer(x: HostTensor, plan: ForwardPlan<HostTensor>): ForwardResult<HostTensor, FakeSaved> {
    return this.fake.forward("infer", x, plan);
  }
  protected override doTrain(x: HostTensor, plan: ForwardPlan<HostTensor>): ForwardResult<HostTensor, FakeSaved> {
    return this.fake.forward("train", x, plan);
  }
  protected override doBackward(
    dy: HostTensor,
    saved: FakeSaved,
    plan: ForwardPlan<HostTensor>,
    out: HostTensor | null,
  ): Gradients<HostTensor> {
    return this.fake.backward(dy, saved, plan, out);
  }
  protected override doState(): BatchNormState {
    return this.fake.read();
  }
  protected override doSetState(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): void {
    this.fake.write(parameters, statistics);
  }
  protected override doDispose(): void {
    this.fake.dispose();
  }
  protected override doReleaseSaved(saved: FakeSaved): void {
    this.fake.release(saved);
  }
}

/** A backend that answers with promises: whatever runs waits for the gate first, and logs `done` when it is through. */
export class AsyncLayer extends BatchNormLayer<HostTensor, FakeSaved, "async"> {
  readonly fake: FakeArithmetic;
  #open: () => void = () => {};
  #gate: Promise<void> = Promise.resolve();

  constructor(options: FakeOptions = {}) {
    const { supports, init } = fakeInit(options);
    super(fakeRuntime("async", supports), init);
    this.fake = new FakeArithmetic(init.state);
  }

  /** Holds back everything that has not begun yet. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }
  /** Lets it go. */
  go(): void {
    this.#open();
  }

  async #run<Value>(work: () => Value): Promise<Value> {
    this.fake.log.push("begin");
    await this.#gate;
    try {
      return work();
    } finally {
      this.fake.log.push("done");
    }
  }

  protected override doInfer(x: HostTensor, plan: ForwardPlan<HostTensor>): Promise<ForwardResult<HostTensor, FakeSaved>> {
    return this.#run(() => this.fake.forward("infer", x, plan));
  }
  protected override doTrain(x: HostTensor, plan: ForwardPlan<HostTensor>): Promise<ForwardResult<HostTensor, FakeSaved>> {
    return this.#run(() => this.fake.forward("train", x, plan));
  }
  protected override doBackward(
    dy: HostTensor,
    saved: FakeSaved,
    plan: ForwardPlan<HostTensor>,
    out: HostTensor | null,
  ): Promise<Gradients<HostTensor>> {
    return this.#run(() => this.fake.backward(dy, saved, plan, out));
  }
  protected override doState(): Promise<BatchNormState> {
    return this.#run(() => this.fake.read());
  }
  protected override doSetState(parameters: { gamma?: Float32Array; beta?: Float32Array }, statistics: Partial<Statistics>): Promise<void> {
    return this.#run(() => this.fake.write(parameters, statistics));
  }
  protected override doDispose(): Promise<void> {
    return this.#run(() => this.fake.dispose());
  }
  protected override doReleaseSaved(saved: FakeSaved): void {
    this.fake.release(saved);
  }
}
