import type { CallOptions, Gradients, Layer, Supports } from "./backend.ts";
import { type CallContext, checkBackward, type ForwardPlan, type KeptForward, planForward } from "./check.ts";
import type { BatchNormConfig } from "./config.ts";
import { BatchNormError } from "./errors.ts";
import type { LayerInit } from "./init.ts";
import { rejectUnknownKeys } from "./object.ts";
import { type BatchNormState, resolveStateUpdate, type StateUpdate } from "./state.ts";
import type { TensorAccess } from "./tensor.ts";
import type { Timed, Timing } from "./timing.ts";

/** What a backend hands back from a forward pass. */
export interface ForwardResult<Tensor, Saved> {
  readonly y: Tensor;
  /** What `doBackward` will need; null unless the plan asked for it. */
  readonly saved: Saved | null;
}

/** What a backend tells the base class of its runtime: one constant for all of its layers. */
export interface LayerRuntime<Tensor, Call extends Timing> extends TensorAccess<Tensor> {
  /** Of `call`, `backward`, `setState` and `dispose`. */
  readonly timing: Call;
  /** Of `state`, where it is another: a device that computes at once and is read with a promise. */
  readonly readTiming?: Timing;
  readonly supports: Supports;
}

/** One forward pass whose backward may still be asked for. */
interface Forward<Tensor, Saved> extends KeptForward<Tensor> {
  saved: Saved | null;
}

/**
 * The contract: validation, the mode decision, order and lifetime, once for every backend. A backend extends it with the
 * arithmetic alone. Calls that overlap on one asynchronous layer run one after another, in the order in which they were made.
 *
 * `Call` says whether `call` and `backward` answer at once or with a promise, `Read` the same of `state`.
 */
export abstract class BatchNormLayer<Tensor, Saved, Call extends Timing, Read extends Timing = Call> implements Layer<Tensor, Call, Read> {
  #context: CallContext<Tensor>;
  readonly #timing: Timing;
  readonly #readTiming: Timing;
  #queue: Promise<unknown> = Promise.resolve();
  #forward: Forward<Tensor, Saved> | null = null;
  #disposed = false;

  protected constructor(runtime: LayerRuntime<Tensor, Call>, init: LayerInit) {
    this.#timing = runtime.timing;
    this.#readTiming = runtime.readTiming ?? runtime.timing;
    this.#context = {
      supports: runtime.supports,
      describe: (tensor) => runtime.describe(tensor),
      overlaps: (a, b) => runtime.overlaps(a, b),
      config: init.config,
      channels: init.state.statistics.movingMean.length,
    };
  }

  /** The configuration, with `trainable` as `freeze` and `unfreeze` left it. */
  get config(): BatchNormConfig {
    return this.#context.config;
  }

  get channels(): number {
    return this.#context.channels;
  }

  /**
   * Normalizes x, of any rank >= 2, and returns a tensor of the same shape. With `training: true` on a layer that is
   * not frozen, the moving statistics take the batch in; on any error they are what they were before.
   *
   * @throws BatchNormError what `planForward` throws, and `disposed`, `non-finite`, `runtime-failure`.
   */
  call(x: Tensor, options: CallOptions<Tensor> = {}): Timed<Call, Tensor> {
    return this.#schedule(
      "call",
      () => {
        const plan = planForward(this.#context, x, options);
        const forward: Forward<Tensor, Saved> | null = plan.gradient ? { plan, x, saved: null } : null;
        this.#replaceForward(forward);
        return { plan, forward };
      },
      ({ plan, forward }) =>
        this.#after(
          plan.mode.normalizeWith === "batch" ? this.doTrain(x, plan) : this.doInfer(x, plan),
          (result: ForwardResult<Tensor, Saved>) => {
            if (forward !== null) forward.saved = result.saved;
            return result.y;
          },
        ),
    );
  }

  /**
   * The gradients of the last `call`, for the gradient dy of its output: through the batch statistics in training, past
   * the moving ones otherwise (clauses 10.1 and 10.2). It may be called again for the same pass. A call that was refused for
   * its arguments leaves the pass before it in place; one that failed while it ran does not.
   *
   * @throws BatchNormError `invalid-argument`, `no-forward`, `invalid-gradient`, `unknown-dtype`, `data-length`, `invalid-out`,
   * `unsupported`, `disposed`, `runtime-failure`.
   */
  backward(dy: Tensor, options: { readonly out?: Tensor | null } = {}): Timed<Call, Gradients<Tensor>> {
    return this.#schedule(
      "backward",
      () => {
        rejectUnknownKeys("invalid-argument", "The options of backward", options as unknown, ["out"]);
        if (!this.#context.supports.gradients) {
          throw new BatchNormError("unsupported", "This backend has no backward", "backward", "call alone");
        }
        const forward = this.#forward;
        if (forward === null) throw noForward();
        checkBackward(this.#context, forward, dy, options.out ?? null);
        return forward;
      },
      (forward) => {
        if (forward.saved === null) throw noForward();
        return this.doBackward(dy, forward.saved, forward.plan, options.out ?? null);
      },
    );
  }

  /** Keras's `trainable = False`: from the next call on, moving statistics normalize and nothing is learned (clause 4.2). */
  freeze(): void {
    this.#setTrainable("freeze", false);
  }

  /** Keras's `trainable = True`. */
  unfreeze(): void {
    this.#setTrainable("unfreeze", true);
  }

  /**
   * A copy of the parameters and statistics as they are after the calls that were made before, in the host's memory.
   *
   * @throws BatchNormError `disposed`, `runtime-failure`.
   */
  state(): Timed<Read, BatchNormState> {
    if (this.#timing === "sync") {
      const read = (): Timed<Read, BatchNormState> => {
        this.#assertAlive("state");
        return this.doState();
      };
      // An async function runs at once, so the copy is of now, and rejects where `read` throws.
      return this.#readTiming === "sync" ? read() : ((async () => read())() as unknown as Timed<Read, BatchNormState>);
    }
    return this.#schedule(
      "state",
      () => undefined,
      () => this.doState() as never,
    ) as never;
  }

  /**
   * Replaces the given fields of the state, all of them or, on an error, none. A pending `backward` is dropped, since it
   * belongs to the old parameters.
   *
   * @throws BatchNormError what `resolveStateUpdate` throws, and `disposed`.
   */
  setState(update: StateUpdate): Timed<Call, void> {
    return this.#schedule(
      "setState",
      () => {
        const resolved = resolveStateUpdate(this.config, this.channels, update);
        this.#replaceForward(null);
        return resolved;
      },
      (resolved) => this.doSetState(resolved.parameters, resolved.statistics),
    );
  }

  /** Frees what the layer holds, after the calls that were already made. A second call does nothing. */
  dispose(): Timed<Call, void> {
    if (this.#disposed) return (this.#timing === "sync" ? undefined : this.#queue.then(() => undefined)) as Timed<Call, void>;
    return this.#schedule(
      "dispose",
      () => {
        const last = this.#forward;
        this.#forward = null;
        this.#disposed = true;
        return last;
      },
      // A pass that cannot be freed must not keep the rest from being freed.
      (last) => {
        if (this.#timing === "async") return this.#disposeLater(last);
        try {
          this.#release(last);
        } finally {
          this.doDispose();
        }
        return undefined;
      },
    );
  }

  /** Normalizes with the moving statistics (clause 5.1). */
  protected abstract doInfer(x: Tensor, plan: ForwardPlan<Tensor>): Timed<Call, ForwardResult<Tensor, Saved>>;
  /** Normalizes with the batch's statistics and updates the moving ones, as its very last act (clauses 6.1, 6.3 and 7.1). */
  protected abstract doTrain(x: Tensor, plan: ForwardPlan<Tensor>): Timed<Call, ForwardResult<Tensor, Saved>>;
  protected abstract doBackward(dy: Tensor, saved: Saved, plan: ForwardPlan<Tensor>, out: Tensor | null): Timed<Call, Gradients<Tensor>>;
  protected abstract doState(): Timed<Read, BatchNormState>;
  /** The arrays are the layer's to keep. */
  protected abstract doSetState(
    parameters: { gamma?: Float32Array; beta?: Float32Array },
    statistics: { movingMean?: Float32Array; movingVariance?: Float32Array },
  ): Timed<Call, void>;
  protected abstract doDispose(): Timed<Call, void>;
  /** Frees what a forward pass kept. */
  protected doReleaseSaved(_saved: Saved): void {}

  /**
   * Runs `prepare` now, so that a call is judged by the layer as it is when the call is made, and `work` when the calls
   * before it are done. An asynchronous layer rejects, it never throws.
   */
  #schedule<Prepared, Value>(
    what: string,
    prepare: () => Prepared,
    work: (prepared: Prepared) => Timed<Call, Value> | Value | Promise<Value>,
  ): Timed<Call, Value> {
    const prepareAlive = (): Prepared => {
      this.#assertAlive(what);
      return prepare();
    };
    if (this.#timing === "sync") return work(prepareAlive()) as Timed<Call, Value>;
    let prepared: Prepared;
    try {
      prepared = prepareAlive();
    } catch (error) {
      return Promise.reject(error) as Timed<Call, Value>;
    }
    const result = this.#queue.then(() => work(prepared));
    this.#queue = result.catch(() => undefined);
    // A promise of the caller's own: the queue's `catch` would hide a failure that nobody awaits from the runtime's report.
    return result.then((value) => value) as Timed<Call, Value>;
  }

  /** Drops the last forward pass, once the calls that may still use it are done. */
  #replaceForward(next: Forward<Tensor, Saved> | null): void {
    const last = this.#forward;
    this.#forward = next;
    if (this.#timing === "sync") this.#release(last);
    else if (last !== null) this.#queue = this.#queue.then(() => this.#release(last));
  }

  async #disposeLater(last: Forward<Tensor, Saved> | null): Promise<void> {
    try {
      this.#release(last);
    } finally {
      await this.doDispose();
    }
  }

  #release(forward: Forward<Tensor, Saved> | null): void {
    if (forward === null || forward.saved === null) return;
    const { saved } = forward;
    // Forgotten first, so that a release that throws is not tried again.
    forward.saved = null;
    this.doReleaseSaved(saved);
  }

  /** `next(value)` at once on a synchronous layer, when the promise is kept on the other. */
  #after<Value, Next>(value: Timed<Call, Value>, next: (value: Value) => Next): Next | Promise<Next> {
    return this.#timing === "sync" ? next(value as Value) : (value as Promise<Value>).then(next);
  }

  #setTrainable(what: string, trainable: boolean): void {
    this.#assertAlive(what);
    this.#context = { ...this.#context, config: Object.freeze({ ...this.config, trainable }) };
  }

  #assertAlive(what: string): void {
    if (this.#disposed) throw new BatchNormError("disposed", `${what} was called on a disposed layer`, what, "a layer that is in use");
  }
}

function noForward(): BatchNormError {
  return new BatchNormError(
    "no-forward",
    "backward has no forward pass to go back through",
    "no kept pass",
    "a call with training or gradient set before it",
  );
}
