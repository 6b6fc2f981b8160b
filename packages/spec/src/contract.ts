// The contract in types. Read it from the top: what a layer is made of, what its users call, what a backend fills in.
// docs/spec.md says what every number has to be; the clauses are named here as "clause 7.1".

/** The version of this contract. A backend names the one it was written for (clause 18.1). */
export const SPEC_VERSION = 1;

// ---------------------------------------------------------------------------------------------------- config and state

/** What enters the moving variance (clause 7.3). The output is always normalized with the population variance. */
export type VarianceEstimator = "population" | "sample";

/** What happens when x holds a NaN or an infinity (clauses 11.1 and 11.2). */
export type NonFinite = "propagate" | "reject";

/** The complete configuration of a layer, by Keras's names. Every field is always there: no default hides in a stored config. */
export interface BatchNormConfig {
  /** The one axis that is normalized per entry; negative counts from the end. */
  readonly axis: number;
  /** The weight of the OLD value in the moving average, in [0, 1]. (PyTorch's momentum is 1 minus this one.) */
  readonly momentum: number;
  /** Added to the variance, inside the root. */
  readonly epsilon: number;
  /** Whether there is a beta. */
  readonly center: boolean;
  /** Whether there is a gamma. */
  readonly scale: boolean;
  /** False is frozen: moving statistics normalize, nothing is updated, gamma and beta get no gradient. */
  readonly trainable: boolean;
  readonly varianceEstimator: VarianceEstimator;
  readonly nonFinite: NonFinite;
}

/** What is learned by gradient descent. Each is `[channels]`; null where `scale` or `center` is off. */
export interface Parameters {
  readonly gamma: Float32Array | null;
  readonly beta: Float32Array | null;
}

/** What is estimated from the batches that training saw. Each is `[channels]`. */
export interface Statistics {
  readonly movingMean: Float32Array;
  /** A variance, not a deviation: in the square of x's unit. Never negative; NaN where the data was. */
  readonly movingVariance: Float32Array;
}

/** The whole state of a layer: two parameters and two statistics (clause 1.1). */
export interface BatchNormState {
  readonly parameters: Parameters;
  readonly statistics: Statistics;
}

/** Numbers that become a Float32Array, each rounded to the nearest float32. */
export type Numbers = Float32Array | readonly number[];

/** A state as callers may write it: plain arrays are taken, and an absent parameter may be left out. */
export interface StateInput {
  readonly parameters: { readonly gamma?: Numbers | null; readonly beta?: Numbers | null };
  readonly statistics: { readonly movingMean: Numbers; readonly movingVariance: Numbers };
}

/** The fields of a state that `setState` replaces; what is left out stays. A whole `BatchNormState` is one, nulls included. */
export interface StateUpdate {
  readonly parameters?: { readonly gamma?: Numbers | null; readonly beta?: Numbers | null };
  readonly statistics?: { readonly movingMean?: Numbers; readonly movingVariance?: Numbers };
}

/** A `StateUpdate` that has been checked: only what is replaced is there, and the arrays are the receiver's to keep. */
export interface CheckedUpdate {
  readonly parameters: { readonly gamma?: Float32Array; readonly beta?: Float32Array };
  readonly statistics: { readonly movingMean?: Float32Array; readonly movingVariance?: Float32Array };
}

// ------------------------------------------------------------------------------------------------------------- tensors

/** The element types that the contract names. float32 is required of every backend; a mask is bool. */
export type DType = "float32" | "float64" | "float16" | "bfloat16" | "bool";

/** The two dtypes of half precision: 16 bits an element (clause 13.3). */
export type HalfDType = "float16" | "bfloat16";

/** A tensor in the host's memory, row major: the last axis is contiguous. bool is one byte an element, 0 or not 0. */
export interface HostTensor<Data extends HostData = HostData> {
  readonly data: Data;
  readonly shape: readonly number[];
  /**
   * What the 16 bits of an element are. It has to be there beside a Uint16Array, and may be left out beside a Float16Array,
   * which is float16. No other array takes one.
   */
  readonly dtype?: HalfDType | undefined;
}

/** What holds the elements of a `HostTensor`. */
export type HostData = Float32Array | Float64Array | Uint8Array | HalfData;

/** What holds elements of half precision: their bits, which every runtime has an array for, or a Float16Array. */
export type HalfData = Uint16Array | Float16ArrayIfKnown;

/** Float16Array where the TypeScript that compiles this knows one, by `lib` or otherwise. Nothing here needs it. */
type Float16ArrayIfKnown = typeof globalThis extends { Float16Array: { prototype: infer Instance extends ArrayBufferView } }
  ? Instance
  : never;

/** What the contract needs to know of a runtime's tensor to decide whether a call is allowed; no data is read. */
export interface TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: string;
  /** The number of elements behind the tensor, where the runtime does not already tie it to the shape. */
  readonly length?: number;
}

/** How the memory of two tensors lies: apart, the very same elements, or the one over part of the other. */
export type Overlap = "none" | "same" | "partial";

/**
 * Any tensor, any axis, seen as `[outer, channels, inner]` (clause 3.1): a reshape, never a transposition. Element
 * `(o, c, i)` lies at offset `(o * channels + c) * inner + i`. Channels last is `inner = 1`; NCHW is `inner = H * W`.
 */
export interface ChannelView {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** An element of x that is no finite number, and its channel. */
export interface NonFiniteElement {
  readonly channel: number;
  readonly value: number;
}

// -------------------------------------------------------------------------------------------- what users of a layer see

/**
 * When a runtime answers. `sync`: at once. `async`: with a promise. `async-reads`: at once, but what is read back to the
 * host comes with a promise (a device that is given work and not waited for).
 */
export type Timing = "sync" | "async" | "async-reads";

/** What `call`, `backward`, `setState` and `dispose` give: a value at once, or a promise of it. */
export type CallResult<When extends Timing, Value> = When extends "async" ? Promise<Value> : Value;

/** What `state` and `download` give. */
export type ReadResult<When extends Timing, Value> = When extends "sync" ? Value : Promise<Value>;

/** Options of one call. An option that is undefined counts as left out. */
export interface CallOptions<Tensor, Mask = Tensor> {
  /** Whether this is a training step. Default false. */
  readonly training?: boolean | undefined;
  /** Bool, the shape of x without the channel axis. False hides an element from the batch statistics, not from the output. */
  readonly mask?: Mask | null | undefined;
  /** Where to write the output. It may be x itself, unless the pass is kept for `backward`. */
  readonly out?: Tensor | null | undefined;
  /** Whether to keep what `backward` needs. Default: the value of `training`. */
  readonly gradient?: boolean | undefined;
}

/** Options of `backward`. */
export interface BackwardOptions<Tensor> {
  /** Where to write dx. It may be dy itself. */
  readonly out?: Tensor | null | undefined;
}

/**
 * What `backward` gives. dx has the shape and dtype of x; dgamma and dbeta are float32 `[channels]`, null where there is nothing
 * to learn.
 */
export interface Gradients<Tensor> {
  readonly dx: Tensor;
  readonly dgamma: Tensor | null;
  readonly dbeta: Tensor | null;
}

/**
 * A layer as its users see it. `Mask` is the type of a mask, where it differs from that of x.
 *
 * A runtime that cannot use `defineBackend` may satisfy this interface by itself; the suite holds it to the same clauses.
 */
export interface Layer<Tensor, When extends Timing = Timing, Mask = Tensor> {
  /** The configuration, with `trainable` as `freeze` and `unfreeze` left it. */
  readonly config: BatchNormConfig;
  /** The number of channels; 0 until the first call of a layer that was made without a state. */
  readonly channels: number;
  /** Keras's `trainable`. To set it is to `freeze` or `unfreeze`. */
  trainable: boolean;

  /**
   * Normalizes x, of any rank >= 2, and returns a tensor of the same shape and dtype. With `training: true` on a layer that
   * is not frozen, the moving statistics take the batch in; on any error they are what they were before.
   *
   * @throws BatchNormError `invalid-argument`, `unknown-dtype`, `invalid-shape`, `invalid-rank`, `invalid-axis`,
   * `data-length`, `channel-mismatch`, `invalid-mask`, `invalid-out`, `empty-batch`, `unsupported`, `non-finite`,
   * `disposed`, `runtime-failure`.
   */
  call(x: Tensor, options?: CallOptions<Tensor, Mask>): CallResult<When, Tensor>;

  /**
   * The gradients of the last `call`, for the gradient dy of its output: through the batch statistics in training, past
   * the moving ones otherwise (clauses 10.1 and 10.2). It may be called again for the same pass. A call that was refused
   * leaves the pass before it in place; one that failed while it ran does not.
   *
   * @throws BatchNormError `invalid-argument`, `no-forward`, `invalid-gradient`, `unknown-dtype`, `data-length`,
   * `invalid-out`, `unsupported`, `disposed`, `runtime-failure`.
   */
  backward(dy: Tensor, options?: BackwardOptions<Tensor>): CallResult<When, Gradients<Tensor>>;

  /**
   * Keras's `trainable = False`: from the next call on, moving statistics normalize and nothing is learned (clause 4.2).
   *
   * @throws BatchNormError `disposed`.
   */
  freeze(): void;

  /**
   * Keras's `trainable = True`.
   *
   * @throws BatchNormError `disposed`.
   */
  unfreeze(): void;

  /**
   * A copy of the parameters and statistics as they are after the calls that were made before, in the host's memory.
   *
   * @throws BatchNormError `not-built`, `disposed`, `runtime-failure`.
   */
  state(): ReadResult<When, BatchNormState>;

  /**
   * Replaces the given fields of the state, all of them or, on an error, none. A pending `backward` is dropped, since it
   * belongs to the old parameters. A layer that has no state yet wants all fields.
   *
   * @throws BatchNormError `invalid-state`, `missing-parameter`, `unexpected-parameter`, `wrong-length`,
   * `negative-variance`, `disposed`, `runtime-failure`.
   */
  setState(update: StateUpdate): CallResult<When, void>;

  /** Frees what the layer holds, after the calls that were already made. A second call does nothing. */
  dispose(): CallResult<When, void>;
}

/** What a backend can do. A layer refuses the rest with `unsupported`; the suite skips it, visibly. */
export interface Supports {
  /** The greatest rank of x, or null for any. The least is 2 for everybody. */
  readonly maxRank: number | null;
  /** `last` takes x with its channels on the last axis only. */
  readonly axes: "any" | "last";
  /** The dtypes of x, y, dy and dx. float32 is required. The state is float32 whatever they are. */
  readonly dtypes: readonly DType[];
  readonly training: boolean;
  /** How many elements of a channel a training step needs at the least. 1 but for runtimes that refuse a single one. */
  readonly minElements: number;
  readonly gradients: boolean;
  readonly masks: boolean;
  /** Whether the caller may pass the output buffer. */
  readonly out: boolean;
  readonly varianceEstimators: readonly VarianceEstimator[];
  readonly nonFinite: readonly NonFinite[];
  /** The precision of sums over a batch: it decides the term of the error bound that grows with n (clause 12.3). */
  readonly accumulation: "float32" | "float64";
  /** Whether subnormal numbers survive, or may be flushed to zero (clause 11.4). */
  readonly subnormals: "preserved" | "flushed";
}

/** An implementation of the contract on one runtime. */
export interface Backend<Tensor, When extends Timing = Timing, Mask = Tensor> {
  readonly specVersion: typeof SPEC_VERSION;
  /** Runtime and device, such as `cpu`, `onnx/wasm`, `tfjs/webgl`. */
  readonly name: string;
  readonly supports: Supports;

  /**
   * Makes a layer.
   *
   * @param config Keras's defaults stand in for what is left out (clause 2.1).
   * @param state the parameters and statistics; or the number of channels, for Keras's initial state (clause 1.3); or
   * nothing, for an initial state with as many channels as the first x has.
   * @throws BatchNormError `invalid-argument`, `invalid-axis`, `invalid-epsilon`, `invalid-momentum`, `invalid-state`,
   * `wrong-length`, `missing-parameter`, `unexpected-parameter`, `negative-variance`, `unsupported`, `runtime-failure`.
   */
  create(config?: Partial<BatchNormConfig>, state?: StateInput | number): Layer<Tensor, When, Mask>;

  /**
   * A tensor of this runtime with a copy of the host's data; of a bool tensor, a mask.
   *
   * @throws BatchNormError `invalid-argument`, `unknown-dtype`, `invalid-shape`, `data-length`, `runtime-failure`.
   */
  upload(tensor: HostTensor<Uint8Array>): Mask;
  upload(tensor: HostTensor): Tensor;

  /**
   * A copy of a tensor's data, in the host's memory.
   *
   * @throws BatchNormError `invalid-argument`, `runtime-failure`.
   */
  download(tensor: Tensor): ReadResult<When, HostTensor>;

  /**
   * Frees a tensor. Does nothing where the runtime collects garbage.
   *
   * @throws BatchNormError `invalid-argument`, `runtime-failure`.
   */
  release(tensor: Tensor | Mask): void;
}

// -------------------------------------------------------------------------------------------- what a backend fills in

/** What one call does: the whole of the mode table (clause 4.1). */
export interface Mode {
  /** Which mean and variance normalize the output. */
  readonly normalizeWith: "batch" | "moving";
  /** Whether the moving statistics take in this batch. */
  readonly updateStatistics: boolean;
  /** Whether gamma and beta get a gradient. x always gets one. */
  readonly parameterGradients: boolean;
}

/** One forward pass that has been found in order: all that the arithmetic needs to know. */
export interface Pass<Tensor, State = BatchNormState, Mask = Tensor> {
  readonly config: BatchNormConfig;
  /** What the store made: on the host, the parameters and statistics themselves. */
  readonly state: State;
  readonly x: Tensor;
  /** The dtype of x, which those of y, dy and dx are. */
  readonly dtype: DType;
  /** The shape that x had when the call was made; the layer's own copy. */
  readonly shape: readonly number[];
  readonly view: ChannelView;
  /** What the caller asked for. `mode` says what is done: a layer of the runtime's own, which decides that by itself, is given this. */
  readonly training: boolean;
  readonly mode: Mode;
  /** Bool over `[outer, inner]`; null where no mask was given or moving statistics normalize (clause 9.5). */
  readonly mask: Mask | null;
  readonly out: Tensor | null;
  /** Whether `backward` may follow, and `saved` is wanted for it. */
  readonly gradient: boolean;
}

/** What a forward pass gives. */
export interface ForwardResult<Tensor, Saved> {
  readonly y: Tensor;
  /** What `backward` will need besides the pass itself. It may be left out where that is nothing. */
  readonly saved?: Saved | undefined;
}

/** One backward pass that has been found in order. */
export interface BackwardPass<Tensor, State = BatchNormState, Saved = unknown, Mask = Tensor> {
  readonly dy: Tensor;
  readonly out: Tensor | null;
  /** The forward pass it belongs to. */
  readonly pass: Pass<Tensor, State, Mask>;
  /** What that pass gave as `saved`. */
  readonly saved: Saved;
}

/** `Value`, or a promise of it where the backend is asynchronous. */
export type Awaitable<When extends Timing, Value> = When extends "async" ? Value | Promise<Value> : Value;

/** How the tensors of a runtime are described, made and read. `hostTensors` is this for typed arrays. */
export interface TensorAccess<Tensor, When extends Timing = Timing, Mask = Tensor> {
  /** What a tensor is, without reading its data. Whatever this throws is reported as `invalid-argument`. */
  describe(tensor: Tensor | Mask): TensorInfo;
  /** How two tensors lie. Without it, or where `supports.out` is not set, callers cannot pass an output buffer. */
  overlap?(a: Tensor | Mask, b: Tensor | Mask): Overlap;
  /** The first NaN or infinity of x, or null. Without it, `nonFinite: 'reject'` is not supported. */
  findNonFinite?(x: Tensor, view: ChannelView): NonFiniteElement | null;
  /**
   * A tensor with a copy of the host's data, which has been checked. bool becomes a mask; half precision comes only where
   * `supports.dtypes` lists it.
   */
  upload(tensor: HostTensor): Tensor | Mask;
  /** A copy of a tensor's data. */
  download(tensor: Tensor): When extends "sync" ? HostTensor : HostTensor | Promise<HostTensor>;
  /** Frees a tensor. Left out where the runtime collects garbage. */
  release?(tensor: Tensor | Mask): void;
}

/** Where a layer's state is kept, if not as typed arrays on the host. One `State` belongs to one layer. */
export interface Store<State, When extends Timing = Timing> {
  /** Takes the state in. The arrays are the store's to keep. */
  create(state: BatchNormState, config: BatchNormConfig): State;
  /** A copy in the host's memory, of now. */
  read(state: State): When extends "sync" ? BatchNormState : BatchNormState | Promise<BatchNormState>;
  /** Replaces what is given, all of it or, on an error, nothing. */
  write(state: State, update: CheckedUpdate): Awaitable<When, void>;
  /** Told when the layer is frozen or unfrozen, where the runtime has to know. */
  setTrainable?(state: State, trainable: boolean): void;
  /** Frees the state. */
  dispose?(state: State): Awaitable<When, void>;
  /** Properties that a layer shows to its users besides those of `Layer`, such as the variables of a tensor library. */
  expose?(state: State): Readonly<Record<string, unknown>>;
}

/** What a definition says of itself; the rest of `Supports` follows from which functions it has. */
export interface Limits {
  readonly maxRank?: number | null;
  readonly axes?: Supports["axes"];
  /** Default float32 alone. */
  readonly dtypes?: readonly DType[];
  readonly minElements?: number;
  /** Default false. */
  readonly masks?: boolean;
  /** Default false. */
  readonly out?: boolean;
  /** Default: population alone. */
  readonly varianceEstimators?: readonly VarianceEstimator[];
  /** Default float32. */
  readonly accumulation?: Supports["accumulation"];
  /** Default preserved. */
  readonly subnormals?: Supports["subnormals"];
}

/**
 * The arithmetic of a runtime, as `defineBackend` takes it. The functions are given calls that are in order: types, shapes,
 * mode, order of calls, lifetime and errors are the layer's business. What is left out (`train`, `backward`, a mask) is
 * absent from the manifest by that fact.
 *
 * Anything thrown that is not a `BatchNormError` reaches the user as `runtime-failure` (clause 14.3).
 */
export interface Arithmetic<Tensor, When extends Timing, State, Saved, Mask> {
  readonly name: string;
  /** Default `async`: the functions may give a value or a promise, and users get promises. */
  readonly timing?: When;
  readonly supports?: Limits;
  /** Normalizes with the moving statistics (clause 5.1). */
  infer(pass: Pass<Tensor, State, Mask>): Awaitable<When, ForwardResult<Tensor, Saved>>;
  /** Normalizes with the batch's statistics, and updates the moving ones as its very last act (clauses 6.1, 6.3, 7.1). */
  train?(pass: Pass<Tensor, State, Mask>): Awaitable<When, ForwardResult<Tensor, Saved>>;
  /** The gradients of a pass (section 10). */
  backward?(pass: BackwardPass<Tensor, State, Saved, Mask>): Awaitable<When, Gradients<Tensor>>;
  /** Frees what a pass saved, once it is no longer wanted. */
  releaseSaved?(saved: Saved): void;
}
