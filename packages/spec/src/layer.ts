import { type CallContext, type CheckedShape, checkBackward, checkBackwardOptions, checkCall } from "./checks.ts";
import type {
  Arithmetic,
  BackwardOptions,
  BatchNormConfig,
  BatchNormState,
  CallOptions,
  CallResult,
  ForwardResult,
  Gradients,
  Layer,
  Pass,
  ReadResult,
  StateInput,
  StateUpdate,
  Store,
  Supports,
  TensorAccess,
  Timing,
} from "./contract.ts";
import { BatchNormError, isBatchNormError } from "./errors.ts";
import { initialState, resolveState, resolveStateUpdate } from "./state.ts";

/** A backend with everything that its definition left out filled in. */
export interface CompleteBackend<Tensor, When extends Timing, State, Saved, Mask> {
  readonly name: string;
  readonly timing: Timing;
  readonly supports: Supports;
  readonly arithmetic: Arithmetic<Tensor, When, State, Saved, Mask>;
  readonly tensors: TensorAccess<Tensor, When, Mask>;
  readonly store: Store<State, When>;
}

/** A forward pass whose backward may still be asked for. */
interface KeptPass<Tensor, State, Saved, Mask> {
  readonly pass: Pass<Tensor, State, Mask>;
  /** False until the pass has run, and after it failed. */
  done: boolean;
  saved: Saved | undefined;
}

const NO_OPTIONS: object = Object.freeze({});

/**
 * The one layer of every backend: it validates, decides the mode, keeps order and lifetime, and calls the backend's arithmetic.
 * Calls that overlap on one asynchronous layer run one after another, in the order in which they were made; each is judged by
 * the layer as it is when the call is made (clause 17.1).
 */
export class BatchNormLayer<Tensor, When extends Timing, State, Saved, Mask> implements Layer<Tensor, When, Mask> {
  static {
    // What Node, Deno and Bun print for a layer.
    const value = function (this: BatchNormLayer<unknown, Timing, unknown, unknown, unknown>): object {
      const { config, channels } = this;
      const mode = this.#disposed ? "disposed" : config.trainable ? "trainable" : "frozen";
      return { backend: this.#backend.name, channels, mode, config };
    };
    Object.defineProperty(BatchNormLayer.prototype, Symbol.for("nodejs.util.inspect.custom"), { value });
  }

  readonly #backend: CompleteBackend<Tensor, When, State, Saved, Mask>;
  readonly #async: boolean;
  #context: CallContext<Tensor, Mask>;
  /** Null until the number of channels is known. */
  #state: { readonly stored: State } | null = null;
  #lastShape: CheckedShape | null = null;
  #kept: KeptPass<Tensor, State, Saved, Mask> | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(backend: CompleteBackend<Tensor, When, State, Saved, Mask>, config: BatchNormConfig, state: BatchNormState | null) {
    this.#backend = backend;
    this.#async = backend.timing === "async";
    this.#context = { tensors: backend.tensors, supports: backend.supports, config, channels: 0 };
    if (state !== null) this.#build(state);
  }

  get config(): BatchNormConfig {
    return this.#context.config;
  }

  get channels(): number {
    return this.#context.channels;
  }

  get trainable(): boolean {
    return this.#context.config.trainable;
  }

  set trainable(value: boolean) {
    if (typeof value !== "boolean") throw new BatchNormError("invalid-argument", "trainable is not a boolean", value, "true or false");
    this.#setTrainable("trainable", value);
  }

  freeze(): void {
    this.#setTrainable("freeze", false);
  }

  unfreeze(): void {
    this.#setTrainable("unfreeze", true);
  }

  call(x: Tensor, options: CallOptions<Tensor, Mask> = NO_OPTIONS): CallResult<When, Tensor> {
    if (!this.#async) return this.#forward(this.#admit(x, options)) as CallResult<When, Tensor>;
    return this.#enqueue(
      () => this.#admit(x, options),
      (kept) => this.#forwardLater(kept),
    ) as CallResult<When, Tensor>;
  }

  backward(dy: Tensor, options: BackwardOptions<Tensor> = NO_OPTIONS): CallResult<When, Gradients<Tensor>> {
    if (!this.#async)
      return this.#backward(this.#admitBackward(dy, options), dy, options.out ?? null) as CallResult<When, Gradients<Tensor>>;
    return this.#enqueue(
      () => ({ kept: this.#admitBackward(dy, options), out: options.out ?? null }),
      ({ kept, out }) => this.#backward(kept, dy, out),
    ) as CallResult<When, Gradients<Tensor>>;
  }

  state(): ReadResult<When, BatchNormState> {
    const { timing } = this.#backend;
    if (timing === "sync") return this.#read(this.#admitRead()) as ReadResult<When, BatchNormState>;
    if (timing === "async") {
      return this.#enqueue(
        () => this.#admitRead(),
        (state) => this.#read(state),
      ) as ReadResult<When, BatchNormState>;
    }
    // An async function runs at once, so the copy is of now, and rejects where something throws.
    return (async () => this.#read(this.#admitRead()))() as ReadResult<When, BatchNormState>;
  }

  setState(update: StateUpdate): CallResult<When, void> {
    const admit = (): (() => unknown) => {
      this.#assertAlive("setState");
      const context = this.#context;
      if (this.#state === null) {
        const state = resolveState(this.config, update as StateInput);
        this.#assertUnchanged("setState", context);
        this.#build(state);
        return () => undefined;
      }
      const { stored } = this.#state;
      const checked = resolveStateUpdate(this.config, this.channels, update);
      this.#assertUnchanged("setState", context);
      this.#keep(null);
      return () => this.#guard("setState", () => this.#backend.store.write(stored, checked));
    };
    if (!this.#async) return admit()() as CallResult<When, void>;
    return this.#enqueue(admit, (write) => write()) as CallResult<When, void>;
  }

  dispose(): CallResult<When, void> {
    if (this.#disposed) return (this.#async ? this.#queue.then(() => undefined) : undefined) as CallResult<When, void>;
    const admit = (): KeptPass<Tensor, State, Saved, Mask> | null => {
      const kept = this.#kept;
      this.#kept = null;
      this.#disposed = true;
      return kept;
    };
    if (!this.#async) return this.#free(admit()) as CallResult<When, void>;
    return this.#enqueue(admit, (kept) => this.#free(kept)) as CallResult<When, void>;
  }

  /** Checks a call, and makes it the one that `backward` belongs to. Nothing has been changed where this throws. */
  #admit(x: Tensor, options: CallOptions<Tensor, Mask>): KeptPass<Tensor, State, Saved, Mask> {
    this.#assertAlive("call");
    const context = this.#context;
    const checked = checkCall(context, this.#lastShape, x, options);
    const { dtype, shape, view, training, mode, mask, out, gradient } = checked;
    const { config } = context;
    if (config.nonFinite === "reject") this.#refuseNonFinite(x, checked);
    this.#assertUnchanged("call", context);
    if (this.#state === null) this.#build(initialState(config, view.channels));
    const { stored: state } = this.#state!;
    this.#lastShape = checked;
    const pass: Pass<Tensor, State, Mask> = { config, state, x, dtype, shape, view, training, mode, mask, out, gradient };
    const kept = { pass, done: false, saved: undefined };
    this.#keep(gradient ? kept : null);
    return kept;
  }

  #forward(kept: KeptPass<Tensor, State, Saved, Mask>): Tensor {
    const { pass } = kept;
    let result: ForwardResult<Tensor, Saved>;
    try {
      result = this.#run(pass) as ForwardResult<Tensor, Saved>;
    } catch (error) {
      throw this.#explain(actionOf(pass), pass.shape, error);
    }
    return this.#complete(kept, result);
  }

  async #forwardLater(kept: KeptPass<Tensor, State, Saved, Mask>): Promise<Tensor> {
    const { pass } = kept;
    const result = await this.#guard(actionOf(pass), () => this.#run(pass), pass.shape);
    return this.#complete(kept, result as ForwardResult<Tensor, Saved>);
  }

  #run(pass: Pass<Tensor, State, Mask>): unknown {
    const { arithmetic } = this.#backend;
    // The manifest has `training` only where there is a `train`, and the call has been checked against it.
    return pass.mode.normalizeWith === "batch" ? arithmetic.train!(pass) : arithmetic.infer(pass);
  }

  #complete(kept: KeptPass<Tensor, State, Saved, Mask>, result: ForwardResult<Tensor, Saved>): Tensor {
    if (result?.y === undefined) throw this.#explain(actionOf(kept.pass), kept.pass.shape, new TypeError(noResult(this.#async)));
    kept.done = true;
    kept.saved = result.saved;
    return result.y;
  }

  #admitBackward(dy: Tensor, options: BackwardOptions<Tensor>): KeptPass<Tensor, State, Saved, Mask> {
    this.#assertAlive("backward");
    checkBackwardOptions(options);
    if (!this.#backend.supports.gradients) {
      throw new BatchNormError("unsupported", "This backend has no backward", "backward", "call alone");
    }
    const [context, kept] = [this.#context, this.#kept];
    if (kept === null) throw noForward();
    checkBackward(context, kept.pass, dy, options);
    this.#assertUnchanged("backward", context);
    // What was checked is gone: it belonged to the pass that a getter of dy or of the options took away.
    if (this.#kept !== kept) throw noForward();
    return kept;
  }

  #backward({ pass, done, saved }: KeptPass<Tensor, State, Saved, Mask>, dy: Tensor, out: Tensor | null): unknown {
    if (!done) throw noForward();
    const { arithmetic } = this.#backend;
    // Where the backend saved nothing, it has declared that there is nothing to save.
    return this.#guard("backward", () => arithmetic.backward!({ dy, out, pass, saved: saved as Saved }), pass.shape);
  }

  #admitRead(): State {
    this.#assertAlive("state");
    if (this.#state === null) {
      throw new BatchNormError("not-built", "The layer has no state yet", "no state", "a state or channels at create, or a call first");
    }
    return this.#state.stored;
  }

  #read(state: State): unknown {
    return this.#guard("state", () => this.#backend.store.read(state));
  }

  #build(state: BatchNormState): void {
    const { store } = this.#backend;
    const channels = state.statistics.movingMean.length;
    const stored = this.#guard("create", () => store.create(state, this.config)) as State;
    this.#state = { stored };
    this.#context = { ...this.#context, channels };
    if (store.expose) Object.assign(this, store.expose(stored));
  }

  #refuseNonFinite(x: Tensor, { view }: CheckedShape): void {
    // The manifest has `reject` only where tensors can be searched.
    const found = this.#backend.tensors.findNonFinite!(x, view);
    if (found === null) return;
    throw new BatchNormError(
      "non-finite",
      `x is not finite in channel ${found.channel}`,
      found.value,
      "finite numbers, since nonFinite is 'reject'",
    );
  }

  #setTrainable(what: string, trainable: boolean): void {
    this.#assertAlive(what);
    if (this.#state !== null) this.#backend.store.setTrainable?.(this.#state.stored, trainable);
    this.#context = { ...this.#context, config: Object.freeze({ ...this.config, trainable }) };
  }

  /** Drops the last forward pass, once the calls that may still use it are done. */
  #keep(next: KeptPass<Tensor, State, Saved, Mask> | null): void {
    const last = this.#kept;
    this.#kept = next;
    if (last === null) return;
    if (!this.#async) this.#release(last);
    else this.#queue = this.#queue.then(() => this.#release(last));
  }

  #release(kept: KeptPass<Tensor, State, Saved, Mask>): void {
    if (!kept.done) return;
    // Forgotten first, so that a release that throws is not tried again.
    kept.done = false;
    const { saved } = kept;
    kept.saved = undefined;
    if (saved !== undefined) this.#guard("release", () => this.#backend.arithmetic.releaseSaved?.(saved));
  }

  /** A pass that cannot be freed must not keep the rest from being freed. */
  #free(kept: KeptPass<Tensor, State, Saved, Mask> | null): unknown {
    const state = this.#state;
    this.#state = null;
    this.#lastShape = null;
    const disposeState = (): unknown => (state === null ? undefined : this.#backend.store.dispose?.(state.stored));
    return this.#guard("dispose", () => {
      try {
        if (kept !== null) this.#release(kept);
      } catch (error) {
        const disposed = disposeState();
        const fail = (): never => {
          throw error;
        };
        return disposed instanceof Promise ? disposed.then(fail) : fail();
      }
      return disposeState();
    });
  }

  /** Runs `admit` now and `work` when the calls before it are done. An asynchronous layer rejects, it never throws. */
  #enqueue<Admitted, Value>(admit: () => Admitted, work: (admitted: Admitted) => Value | Promise<Value>): Promise<Value> {
    let admitted: Admitted;
    try {
      admitted = admit();
    } catch (error) {
      return Promise.reject(error);
    }
    const result = this.#queue.then(() => work(admitted));
    this.#queue = result.catch(() => undefined);
    // A promise of the caller's own: the queue's `catch` would hide a failure that nobody awaits from the runtime's report.
    return result.then((value) => value);
  }

  /** What the backend gives, at once or later; its own errors become the contract's. */
  #guard<Value>(action: string, work: () => Value, shape: readonly number[] | null = null): Value {
    try {
      const value = work();
      if (!(value instanceof Promise)) return value;
      return value.catch((error: unknown) => {
        throw this.#explain(action, shape, error);
      }) as Value;
    } catch (error) {
      throw this.#explain(action, shape, error);
    }
  }

  /** An error of the runtime as one of the contract, with its own message, the layer's config, and itself as cause (clause 14.3). */
  #explain(action: string, shape: readonly number[] | null, cause: unknown): BatchNormError {
    if (isBatchNormError(cause)) return cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    const layer = `a layer of ${this.channels} channels with the config ${JSON.stringify(this.config)}`;
    return new BatchNormError(
      "runtime-failure",
      `${this.#backend.name} failed in ${action}, on ${layer}, and said "${message.slice(0, 500)}"`,
      shape,
      "a run without an error",
      cause,
    );
  }

  /** The arguments have been looked at, and their getters are code of the caller's: it may have built, frozen or disposed this layer. */
  #assertUnchanged(what: string, context: CallContext<Tensor, Mask>): void {
    this.#assertAlive(what);
    if (this.#context === context) return;
    throw new BatchNormError(
      "invalid-argument",
      `The layer was changed while ${what} looked at its arguments`,
      what,
      "arguments whose getters leave the layer as it is",
    );
  }

  #assertAlive(what: string): void {
    if (this.#disposed) throw new BatchNormError("disposed", `${what} was called on a disposed layer`, what, "a layer that is in use");
  }
}

function actionOf({ mode }: Pass<unknown, unknown, unknown>): string {
  return mode.normalizeWith === "batch" ? "training" : "inference";
}

function noResult(async: boolean): string {
  return async ? "the arithmetic gave no { y }" : "the arithmetic gave no { y } at once; a backend that gives promises leaves out timing";
}

function noForward(): BatchNormError {
  return new BatchNormError(
    "no-forward",
    "backward has no forward pass to go back through",
    "no kept pass",
    "a call with training or gradient set before it",
  );
}
