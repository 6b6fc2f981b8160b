import type { BatchNormConfig, ChannelView } from "@batchnorm/spec";
import type { Tensor, TensorInfo } from "../tf.ts";

/** An input that may be absent; tfjs hands on those that are there. */
type Maybe<T> = T | undefined;

/** What a training step is made of; all but x and the mask are `[channels]`. An absent gamma is 1, an absent beta is 0. */
export interface TrainInputs<T> {
  readonly x: T;
  /** Bool, one element for each of `[outer, inner]`; absent where everything is visible. */
  readonly mask?: Maybe<T>;
  readonly gamma?: Maybe<T>;
  readonly beta?: Maybe<T>;
  /** They normalize, too, where a mask hides everything (clause 9.4). */
  readonly movingMean: T;
  readonly movingVariance: T;
}

export interface TrainAttributes extends Pick<BatchNormConfig, "epsilon" | "momentum" | "varianceEstimator"> {
  readonly view: ChannelView;
  /** Whether the batch's statistics are wanted, for its gradients. */
  readonly wantsStatistics: boolean;
}

/** What y is made of; all but x are `[channels]`. An absent gamma is 1, an absent beta is 0. */
export interface NormalizeInputs<T> {
  readonly x: T;
  readonly mean: T;
  readonly variance: T;
  readonly gamma?: Maybe<T>;
  readonly beta?: Maybe<T>;
  /** See `Operands`. */
  readonly remainder?: Maybe<T>;
  readonly downscale?: Maybe<T>;
}

/**
 * What brings the square of a difference of two float32 numbers, and a sum of such squares, into the range of
 * float32.
 */
export const DOWNSCALE: number = 2 ** -80;

/** What the gradients are made of besides dy. */
export interface Operands<T> {
  readonly x: T;
  readonly mean: T;
  readonly variance: T;
  /** Of a batch: its mean less the float32 of that, `[channels]`. */
  readonly remainder?: Maybe<T>;
  /**
   * Of a batch: 1, or 2^-80 where a variance overflows float32 (clause 12.7), `[channels]`. The variance is that of x
   * times this.
   */
  readonly downscale?: Maybe<T>;
  readonly gamma?: Maybe<T>;
  /** Which elements entered the batch statistics; absent where all did. */
  readonly mask?: Maybe<T>;
  /** The number of visible elements of a channel, float32 `[]`; present with a mask. */
  readonly count?: Maybe<T>;
}

export interface GradientInputs<T> extends Operands<T> {
  readonly dy: T;
}

export interface GradientAttributes {
  readonly view: ChannelView;
  readonly epsilon: number;
  /** Whether gamma and beta get gradients (clause 4.1). */
  readonly ofParameters: boolean;
  /** Whether the batch's own statistics normalized, and the gradient flows through them, too. */
  readonly throughStatistics: boolean;
}

/**
 * The arithmetic of the layer as three kernels in tfjs's own form: tensors by name in, a list of tensors out,
 * float32, seen as `[outer, channels, inner]`. Inputs are in order and never written to. From a layer down to a loop,
 * values travel in this form.
 */
export interface Arithmetic<T extends TensorInfo> {
  /**
   * `[y, movingMean, movingVariance]`: x normalized with its batch's mean and variance (clauses 6.1 and 6.2), and the moving
   * statistics after that batch (clauses 7.1 to 7.4): moving * momentum + batch * (1 - momentum). With 'sample' the batch's
   * variance counts n / (n - 1) times, with n = 1 once.
   *
   * With `wantsStatistics`, then `mean, variance, remainder, downscale` of every channel (see `Operands`); under a mask those of
   * the visible elements, with their count at the end. A mask that hides everything leaves the moving statistics as they are, bit
   * for bit, which then normalize (clause 9.4), and a count of 0; that is decided on the device.
   */
  train(inputs: TrainInputs<T>, attributes: TrainAttributes): T[];

  /** `[y]` of the shape of x, with y = gamma * (x - mean) / sqrt(variance + epsilon) + beta. */
  normalize(inputs: NormalizeInputs<T>, attributes: { readonly view: ChannelView; readonly epsilon: number }): T[];

  /**
   * `[dx]` or `[dx, dgamma, dbeta]` in closed form (section 10), with r = 1 / sqrt(variance + epsilon), xHat = (x -
   * mean) r:
   *
   *     dbeta = sum(dy)      dgamma = sum(dy xHat)
   *     dx = gamma r (dy - (dbeta + xHat dgamma) / n)      at elements that entered the batch statistics
   *     dx = gamma r dy                                    at all others
   *
   * Source: Ioffe and Szegedy 2015, section 3, with the derivatives of mean and variance substituted.
   */
  gradients(inputs: GradientInputs<T>, attributes: GradientAttributes): T[];
}

/** The tensors of a record that are there, by name. */
export function present<Inputs extends object>(inputs: Inputs): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  for (const name in inputs) if (inputs[name]) found[name] = inputs[name] as unknown as Tensor;
  return found;
}
