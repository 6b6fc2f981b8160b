import type { Awaitable } from "../src/contract.ts";
import {
  type Backend,
  type BackwardPass,
  type BatchNormConfig,
  type BatchNormState,
  copyState,
  defineBackend,
  type FloatTensor,
  type ForwardResult,
  type Gradients,
  hostTensors,
  initialState,
  type Layer,
  type Limits,
  type MaskTensor,
  type Pass,
  type Store,
  type TensorAccess,
  type Timing,
} from "../src/index.ts";

/** A float32 tensor of a shape, filled with one value. */
export function tensor(shape: readonly number[], value = 0): FloatTensor {
  return { data: new Float32Array(shape.reduce((size, dimension) => size * dimension, 1)).fill(value), shape };
}

/** A mask that shows everything. */
export function mask(shape: readonly number[]): MaskTensor {
  return { data: new Uint8Array(shape.reduce((size, dimension) => size * dimension, 1)).fill(1), shape };
}

export interface FakeSaved {
  readonly id: number;
}

type FakePass = Pass<FloatTensor, BatchNormState, MaskTensor>;

/** Arithmetic that a test can follow by eye: a training step adds 1 to movingMean, y is x plus movingMean before it, dx is dy times the id of its pass. */
class FakeArithmetic {
  readonly log: string[] = [];
  readonly passes: FakePass[] = [];
  /** The output buffer of each backward. */
  readonly outs: (FloatTensor | null)[] = [];
  /** Thrown by whatever runs next. */
  failure: Error | null = null;
  /** Thrown by the next release. */
  releaseFailure: Error | null = null;

  forward(what: "infer" | "train", pass: FakePass): ForwardResult<FloatTensor, FakeSaved> {
    this.passes.push(pass);
    const id = this.passes.length;
    this.log.push(`${what} ${id}`);
    this.#failIfAsked();
    const { movingMean } = pass.state.statistics;
    const y = { data: pass.x.data.map((value) => value + movingMean[0]), shape: pass.shape };
    if (what === "train") movingMean.set(movingMean.map((mean) => mean + 1));
    return pass.gradient ? { y, saved: { id } } : { y };
  }

  backward({ dy, out, pass, saved }: BackwardPass<FloatTensor, BatchNormState, FakeSaved, MaskTensor>): Gradients<FloatTensor> {
    this.log.push(`backward ${saved.id}`);
    this.outs.push(out);
    this.#failIfAsked();
    const parameter = pass.mode.parameterGradients ? tensor([pass.view.channels]) : null;
    return { dx: { data: dy.data.map((value) => value * saved.id), shape: pass.shape }, dgamma: parameter, dbeta: parameter };
  }

  read(state: BatchNormState): BatchNormState {
    this.log.push("state");
    return copyState(state);
  }

  write(state: BatchNormState, { parameters, statistics }: Parameters<Store<BatchNormState>["write"]>[1]): void {
    this.log.push("setState");
    this.#failIfAsked();
    if (parameters.gamma) state.parameters.gamma?.set(parameters.gamma);
    if (parameters.beta) state.parameters.beta?.set(parameters.beta);
    if (statistics.movingMean) state.statistics.movingMean.set(statistics.movingMean);
    if (statistics.movingVariance) state.statistics.movingVariance.set(statistics.movingVariance);
  }

  release({ id }: FakeSaved): void {
    this.log.push(`release ${id}`);
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
  readonly supports?: Limits;
  /** What the backend lacks. */
  readonly without?: readonly ("train" | "backward" | "overlap" | "findNonFinite")[];
  /** Given to the layer in place of an initial state of two channels. */
  readonly state?: Parameters<Backend<FloatTensor>["create"]>[1] | "none";
}

const LIMITS: Limits = { masks: true, out: true, varianceEstimators: ["population", "sample"], accumulation: "float64" };

/** Everything that the backend does goes through `run`. */
function fakeBackend<When extends Timing>(
  timing: When,
  { supports = {}, without = [] }: FakeOptions,
  run: <Value>(work: () => Value) => Awaitable<When, Value>,
  exposed: Readonly<Record<string, unknown>> = {},
): Backend<FloatTensor, When, MaskTensor> {
  const fake = new FakeArithmetic();
  const { overlap, findNonFinite, ...rest } = hostTensors;
  const tensors: TensorAccess<FloatTensor, When, MaskTensor> = {
    ...rest,
    ...(!without.includes("overlap") && { overlap }),
    ...(!without.includes("findNonFinite") && { findNonFinite }),
  };
  return defineBackend<FloatTensor, BatchNormState, FakeSaved, When, MaskTensor>({
    name: "fake",
    timing,
    supports: { ...LIMITS, ...supports },
    tensors,
    store: {
      create: (state) => state,
      read: ((state: BatchNormState) => run(() => fake.read(state))) as Store<BatchNormState, When>["read"],
      write: (state, update) => run(() => fake.write(state, update)),
      dispose: () => run(() => fake.dispose()),
      expose: () => ({ fake, ...exposed }),
    },
    infer: (pass) => run(() => fake.forward("infer", pass)),
    ...(!without.includes("train") && { train: (pass: FakePass) => run(() => fake.forward("train", pass)) }),
    ...(!without.includes("backward") && {
      backward: (pass: BackwardPass<FloatTensor, BatchNormState, FakeSaved, MaskTensor>) => run(() => fake.backward(pass)),
    }),
    releaseSaved: (saved) => fake.release(saved),
  });
}

export type SyncLayer = Layer<FloatTensor, "sync", MaskTensor> & { readonly fake: FakeArithmetic };

function stateOf({ config = {}, state }: FakeOptions): Parameters<Backend<FloatTensor>["create"]>[1] {
  return state === "none" ? undefined : (state ?? initialState({ scale: true, center: true, ...config }, 2));
}

/** A layer that answers at once. */
export function syncLayer(options: FakeOptions = {}): SyncLayer {
  return fakeBackend("sync", options, (work) => work()).create(options.config, stateOf(options)) as SyncLayer;
}

/** A layer that answers at once, and is read with a promise. */
export function asyncReadsLayer(options: FakeOptions = {}): Layer<FloatTensor, "async-reads", MaskTensor> {
  return fakeBackend("async-reads", options, (work) => work()).create(options.config, stateOf(options));
}

export interface AsyncLayer extends Layer<FloatTensor, "async", MaskTensor> {
  readonly fake: FakeArithmetic;
  /** Holds back everything that has not begun yet. */
  hold(): void;
  /** Lets it go. */
  go(): void;
}

/** A layer that answers with promises: whatever runs waits for the gate first, and logs `done` when it is through. */
export function asyncLayer(options: FakeOptions = {}): AsyncLayer {
  let open = (): void => {};
  let gate = Promise.resolve();
  const hold = (): void => {
    gate = new Promise((resolve) => {
      open = resolve;
    });
  };
  const run = async <Value>(work: () => Value): Promise<Value> => {
    layer.fake.log.push("begin");
    await gate;
    try {
      return work();
    } finally {
      layer.fake.log.push("done");
    }
  };
  const layer = fakeBackend("async", options, run, { hold, go: () => open() }).create(options.config, stateOf(options)) as AsyncLayer;
  return layer;
}
