import type { ChannelView } from "@batchnorm/spec";
import type { TensorInfo } from "../tf.ts";

/** The mean and the variance that normalize, each `[channels]`. */
export interface Normalizer<T> {
  readonly mean: T;
  readonly variance: T;
}

/** Where the batch's own statistics normalized: which elements entered them, and what float32 did not hold of them. */
export interface Batch<T> {
  /** Bool, one element for each of `[outer, inner]`; null where everything is visible. */
  readonly mask: T | null;
  /** The number of visible elements of a channel, float32 `[]`; null without a mask. */
  readonly count: T | null;
  /** The mean less its float32, `[channels]`. */
  readonly remainder: T;
  /** 1, or 2^-80 where a variance overflows float32 (clause 12.7), `[channels]`: the variance is that of x times this. */
  readonly downscale: T;
}

/** The statistics of a batch, with all that is known of them. */
export type Moments<T> = Normalizer<T> & Omit<Batch<T>, "mask">;

/** What brings the square of a difference of two float32 numbers, and a sum of such squares, into the range of float32. */
export const DOWNSCALE: number = 2 ** -80;

/** What a gradient is made of besides dy. */
export interface GradientOperands<T> extends Normalizer<T> {
  readonly x: T;
  readonly gamma: T | null;
  /** Set where the gradient flows through the statistics, too; null where moving ones normalized. */
  readonly batch: Batch<T> | null;
}

/** dx has the shape of dy; dgamma and dbeta are `[channels]`, null where nobody asked for them. */
export interface OperandGradients<T> {
  readonly dx: T;
  readonly parameters: { readonly dgamma: T; readonly dbeta: T } | null;
}

/** The arithmetic of the layer, on float32 tensors seen as `[outer, channels, inner]`. Arguments are in order and never written to. */
export interface Arithmetic<T extends TensorInfo> {
  /**
   * Mean and population variance of every channel (clause 6.2); under a mask those of the visible elements, or the moving ones
   * and a count of 0 where it hides everything (clause 9.4).
   */
  moments(x: T, view: ChannelView, masked: { readonly mask: T; readonly moving: Normalizer<T> } | null): Moments<T>;

  /** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, of the shape of x. gamma null is 1, beta null is 0. */
  normalize(
    x: T,
    view: ChannelView,
    normalizer: Normalizer<T> & { readonly batch: Batch<T> | null },
    gamma: T | null,
    beta: T | null,
    epsilon: number,
  ): T;

  /**
   * The gradients in closed form (section 10), with r = 1 / sqrt(variance + epsilon) and xHat = (x - mean) r:
   *
   *     dbeta = sum(dy)      dgamma = sum(dy xHat)
   *     dx = gamma r (dy - (dbeta + xHat dgamma) / n)      at elements that entered the batch statistics
   *     dx = gamma r dy                                    at all others
   *
   * Source: Ioffe and Szegedy 2015, section 3, with the derivatives of mean and variance substituted.
   */
  gradients(dy: T, view: ChannelView, operands: GradientOperands<T>, epsilon: number, ofParameters: boolean): OperandGradients<T>;
}
