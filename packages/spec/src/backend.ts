import type { BatchNormConfig, NonFinite, VarianceEstimator } from "./config.ts";
import type { BatchNormState, StateInput, StateUpdate } from "./state.ts";
import type { DType, HostTensor } from "./tensor.ts";
import type { Timed, Timing } from "./timing.ts";

/** The version of this contract. A backend names the one it was written for (clause 18.1). */
export const SPEC_VERSION = 1;

/** What a backend can do. The base class refuses the rest with `unsupported`; the suite skips it, visibly. */
export interface Supports {
  /** The greatest rank of x, or null for any. The least is 2 for everybody. */
  readonly maxRank: number | null;
  /** The dtypes of x. float32 is required. */
  readonly dtypes: readonly DType[];
  readonly training: boolean;
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

/** Options of one call. */
export interface CallOptions<Tensor> {
  /** Whether this is a training step. Default false. */
  readonly training?: boolean;
  /** Bool, the shape of x without the channel axis. False hides an element from the batch statistics, not from the output. */
  readonly mask?: Tensor | null;
  /** Where to write the output. */
  readonly out?: Tensor | null;
  /** Whether to keep what `backward` needs. Default: the value of `training`. */
  readonly gradient?: boolean;
}

/** What `backward` gives. dx has the shape of x; dgamma and dbeta are `[channels]`, null where there is nothing to learn. */
export interface Gradients<Tensor> {
  readonly dx: Tensor;
  readonly dgamma: Tensor | null;
  readonly dbeta: Tensor | null;
}

/**
 * A layer as its users see it. `BatchNormLayer` implements the whole of it but the arithmetic; a runtime that cannot
 * extend that class may satisfy this interface by itself, and the suite will hold it to the same clauses.
 */
export interface Layer<Tensor, Call extends Timing = Timing, Read extends Timing = Timing> {
  readonly config: BatchNormConfig;
  readonly channels: number;
  call(x: Tensor, options?: CallOptions<Tensor>): Timed<Call, Tensor>;
  backward(dy: Tensor, options?: { readonly out?: Tensor | null }): Timed<Call, Gradients<Tensor>>;
  freeze(): void;
  unfreeze(): void;
  state(): Timed<Read, BatchNormState>;
  setState(update: StateUpdate): Timed<Call, void>;
  dispose(): Timed<Call, void>;
}

/** An implementation of the contract on one runtime. */
export interface Backend<Tensor, Call extends Timing = Timing, Read extends Timing = Timing> {
  readonly specVersion: 1;
  /** Runtime and device, such as `cpu`, `onnx/wasm`, `tfjs/webgl`. */
  readonly name: string;
  readonly supports: Supports;
  create(config: Partial<BatchNormConfig>, state: StateInput): Layer<Tensor, Call, Read>;
  /** A tensor of this runtime with a copy of the host's data. */
  upload(tensor: HostTensor): Tensor;
  /** The data of a tensor, in the host's memory. */
  download(tensor: Tensor): Timed<Read, HostTensor>;
  /** Frees a tensor. Does nothing where the runtime collects garbage. */
  release(tensor: Tensor): void;
}
