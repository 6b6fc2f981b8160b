import type { FailedCheck } from "./results.ts";

/** Something that a peer does otherwise than a clause asks, looked into: it is the peer, and neither its adapter nor the bound. */
export interface Finding {
  /** The peers that do it, by name. */
  readonly peers: readonly string[];
  /** What the clauses ask. */
  readonly asks: string;
  /** What the peer does. */
  readonly does: string;
  /** Which failed checks it explains; a check is explained by the first finding that does. */
  explains(check: FailedCheck): boolean;
  /** A program in `reproductions/`; null where a failing check itself is the shortest. */
  readonly reproduction: string | null;
  /** A thread that is about it, and what it says. */
  readonly upstream?: { readonly url: string; readonly says: string };
}

const TFJS_LAYERS = ["tfjs-layers/cpu", "tfjs-layers/wasm"];
const TFJS_FUNCTIONS = ["tfjs-batchNorm/cpu", "tfjs-batchNorm/wasm"];
const ONNX = ["onnx-operator/wasm", "onnx-operator/node"];
const KERAS = ["keras/tensorflow", "keras/jax", "keras/torch"];

const message =
  (pattern: RegExp) =>
  ({ message }: FailedCheck): boolean =>
    pattern.test(message);
const id =
  (pattern: RegExp) =>
  ({ id }: FailedCheck): boolean =>
    pattern.test(id);
const trait =
  (name: string) =>
  ({ traits }: FailedCheck): boolean =>
    traits.includes(name);

/** Numbers that are off by a few roundings more than the bound has, and not by their own size. */
const isRounding = ({ id: check, message: text }: FailedCheck): boolean =>
  /times the bound|within/.test(text) && !/squares-overflow/.test(check) && !/got (NaN|-?Infinity)/.test(text);

const STATISTICS =
  "Means and variances are held as near to the truth as float32 sums of short blocks come, from differences and around a mean that is corrected.";

const OVERFLOW = {
  asks: "Squares of deviations that overflow float32 are no reason for y and the moving variance to be wrong where float32 holds them. Keras does not do this either: it is this text's own rule.",
  explains: id(/squares-overflow/),
} as const;

export const FINDINGS: readonly Finding[] = [
  {
    peers: TFJS_LAYERS,
    asks: "Without a gamma or a beta the formulas have 1 or 0 in its place, in training, too.",
    does: "A training step with `scale: false` or `center: false` throws a TypeError",
    explains: message(/reading '(read|id|dataId|dtype)'/),
    reproduction: "tfjs-layer-without-gamma.mjs",
    upstream: { url: "https://github.com/tensorflow/tfjs/issues/2868", says: "reports it for `scale: false`; it is open" },
  },
  {
    peers: TFJS_LAYERS,
    asks: "A frozen layer normalizes with the moving statistics, and a call on it leaves them as they were, bit for bit.",
    does: "A frozen layer normalizes with the batch, and its moving statistics follow",
    explains: (check) =>
      message(/was changed by the step|does not normalize as inference/)(check) ||
      (trait("frozen")(check) && trait("axis last")(check)) ||
      id(/frozen/)(check),
    reproduction: "tfjs-frozen-layer-learns.mjs",
  },
  {
    peers: TFJS_LAYERS,
    asks: "Any axis is taken; the layer's documentation has `axis: 1` as its example.",
    does: "On another axis than the last the numbers are wrong, and a gradient throws",
    explains: (check) => trait("axis not last")(check) || id(/^property\/(oracle|shift|scale|batch|gradient|merged)/)(check),
    reproduction: "tfjs-axis-one.mjs",
    upstream: { url: "https://github.com/tensorflow/tfjs/issues/1774", says: "reports the error in training with `axis: 1`; it is closed" },
  },
  {
    peers: TFJS_FUNCTIONS,
    asks: "Without a gamma or a beta the gradient has 1 or 0 in its place. `tf.batchNorm` takes both as optional.",
    does: "The gradient of `tf.batchNorm` without `scale` or `offset` throws a TypeError",
    explains: message(/reading '(read|id|dataId|dtype)'/),
    reproduction: "tfjs-batch-norm-gradient-without-scale.mjs",
    upstream: {
      url: "https://github.com/tensorflow/tfjs/issues/2868",
      says: "shows this error, too, once the first one is out of the way; it is open",
    },
  },
  {
    peers: TFJS_FUNCTIONS,
    asks: "A gradient is given at every rank that the output is given at.",
    does: "The gradient of `tf.batchNorm` throws at rank 5 and above, where the output is right",
    explains: message(/Error in transpose: rank of input/),
    reproduction: "tfjs-batch-norm-gradient-rank5.mjs",
  },
  {
    peers: [...TFJS_LAYERS, ...TFJS_FUNCTIONS],
    ...OVERFLOW,
    does: "Squares overflow: y is beta, and the moving variance Infinity",
    reproduction: "tfjs-squares-overflow.mjs",
  },
  {
    peers: [...ONNX, "jax-js/wasm", "pytorch", ...KERAS, "tf-keras"],
    ...OVERFLOW,
    does: "Squares overflow: y is beta, and the moving variance Infinity",
    reproduction: null,
  },
  {
    peers: ["jax-js/wasm"],
    asks: "Statistics come from differences, never from E[x^2] - E[x]^2, so that an offset costs no digits.",
    does: "`nn.standardize` computes E[x^2] - E[x]^2: with an offset its outputs are wrong, or NaN",
    explains: (check) => trait("training")(check) || id(/^property\//)(check),
    reproduction: "jax-js-standardize-offset.mjs",
  },
  {
    peers: ["keras/jax", "keras/torch"],
    asks: "A mask is taken with one channel, too.",
    does: "On JAX and PyTorch a mask over a single channel throws an IndexError",
    explains: message(/IndexError/),
    reproduction: "keras-mask-of-one-channel.py",
  },
  {
    peers: KERAS,
    asks: "A mask that hides everything says nothing about the data: the statistics stay. Keras does not say what it does here; this text decides.",
    does: "Under a mask that hides everything the moving statistics decay towards 0",
    explains: (check) => id(/^mask\/.*all-hidden/)(check) || message(/was changed by the step/)(check),
    reproduction: "keras-mask-that-hides-all.py",
  },
  {
    peers: ["keras/torch"],
    asks: "Statistics come from differences, never from E[x^2] - E[x]^2, so that an offset costs no digits; a constant channel has variance 0.",
    does: "The PyTorch backend computes E[x^2] - E[x]^2: with an offset the variance has no digit left, and may be negative",
    explains: (check) => !trait("mask")(check) && (isRounding(check) || message(/got (NaN|-?Infinity)/)(check)),
    reproduction: "keras-torch-variance.py",
    upstream: {
      url: "https://github.com/keras-team/keras-core/pull/866",
      says: "chose this form, as the faster and less stable one; [a later change](https://github.com/keras-team/keras/pull/18795) mended TensorFlow and JAX",
    },
  },
  {
    peers: ["tf-keras"],
    asks: "An axis counted from the end is the same axis: -4 of rank 4 is 0.",
    does: "`axis=-4` throws a ValueError where `axis=0` is taken",
    explains: message(/Unsupported axis/),
    reproduction: "tf-keras-first-axis-from-the-end.py",
  },
  {
    peers: [...TFJS_LAYERS, ...TFJS_FUNCTIONS],
    asks: STATISTICS,
    does: "The mean is summed plainly on wasm, and rounded to float32 before the variance is taken around it",
    explains: isRounding,
    reproduction: "tfjs-moments-of-a-large-offset.mjs",
  },
  {
    peers: ONNX,
    asks: STATISTICS,
    does: "The mean is summed plainly, and the variance taken around what that gives",
    explains: isRounding,
    reproduction: "onnx-mean-of-a-large-offset.mjs",
  },
  {
    peers: ["deepbox"],
    asks: STATISTICS,
    does: "The variance is taken around a mean that is rounded to float32",
    explains: isRounding,
    reproduction: "deepbox-variance-of-a-large-offset.mjs",
  },
  {
    peers: ["pytorch"],
    asks: STATISTICS,
    does: "Of a batch with its channels last in memory the mean is summed plainly, and the variance taken around what that gives",
    explains: isRounding,
    reproduction: "pytorch-mean-of-a-large-offset.py",
  },
  {
    peers: ["keras/tensorflow", "keras/jax", "tf-keras"],
    asks: STATISTICS,
    does: "The variance is taken around a mean that is rounded to float32",
    explains: isRounding,
    reproduction: null,
  },
];
