import { LARGEST_FLOAT16 } from "../tensor/half.ts";

/**
 * Below this share of epsilon a variance is lost in float32: variance + epsilon is epsilon, and the data no longer has
 * a say in the scale.
 */
export const LOST_BESIDE_EPSILON: number = 2 ** -24;

/**
 * A channel whose output deviates by less says nothing: normalization gives a deviation of 1 times gamma, and this is a
 * millionth of that, below the resolution of float32 beside a bias of 16.
 */
export const DEAD_DEVIATION: number = 2 ** -20;

/**
 * With gamma 1 and an epsilon of 1e-5, the smallest in use, no gain exceeds 317. Three times that amplifies noise, not
 * data.
 */
export const EXPLODING_GAIN = 1000;

/** A float16 holds no number above this one: a converter clamps it, or makes it infinite. */
export const LARGEST_IN_FLOAT16: number = LARGEST_FLOAT16;

/**
 * Half the smallest float16: a variance below it becomes 0 there, or what a converter clamps it to (1e-7 is common),
 * which is more than it was.
 */
export const VANISHES_IN_FLOAT16: number = 2 ** -25;

/**
 * Means that are so many deviations away from 0, all on the same side, are rare where the data are sums of products;
 * once exchanged with the variances they would be less than one deviation away.
 */
export const EXCHANGED_FROM = 4;
export const EXCHANGED_TO = 1;

/**
 * Variances of channels differ by factors; means that do not have an offset in common, such as that of a picture's
 * brightness.
 */
export const EXCHANGED_SPREAD = 2;

/** So many channels have to agree before an exchange is suspected: two of one sign are chance. */
export const EXCHANGED_CHANNELS = 3;

/** The newest opset that this package was written for; BatchNormalization has not changed since 15. */
export const NEWEST_OPSET = 26;

/** Defaults of epsilon, by the name of the producer in the file. */
export const DEFAULT_EPSILONS: readonly (readonly [producer: RegExp, framework: string, epsilon: number])[] = [
  [/^pytorch/i, "PyTorch", 1e-5],
  [/^tf2onnx|^keras/i, "Keras", 1e-3],
  [/^paddle/i, "PaddlePaddle", 1e-5],
];
