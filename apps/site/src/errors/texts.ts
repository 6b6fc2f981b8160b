import type { ErrorCode } from "@batchnorm/spec";

/** What a page says of a code. */
export interface ErrorText {
  /** What the code means, in a sentence. */
  readonly means: string;
  /** How one comes to it, the most common way first. */
  readonly causes: readonly string[];
  /** What to do about it. */
  readonly cure: string;
}

/** A text for every code: the compiler says when one is missing. */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  "invalid-argument": {
    means: "An option has a name that does not exist, or a value of the wrong type.",
    causes: [
      "A name from another framework: `eps`, `affine`, `renorm`, `fused`.",
      "A word in place of a boolean, such as `training: 1`.",
      "A Promise, a Map or an object of a class where plain options belong. Often an `await` is missing.",
    ],
    cure: "The message names the option and what would be accepted. An unknown option is refused and not ignored: a misspelt `eps` would silently be an epsilon of 0.001.",
  },
  "invalid-axis": {
    means: "The axis is not an integer, or the tensor has no such axis.",
    causes: [
      "A list of axes, as tf-keras writes it. Its config converter takes a list of one.",
      "An axis of 3 for images, used on a tensor of rank 2 behind a Flatten.",
    ],
    cure: "Give the one axis that holds the channels: -1 for channels last, 1 for `[batch, channels, height, width]`.",
  },
  "invalid-epsilon": {
    means: "Epsilon is not a number that float32 holds as a positive normal number.",
    causes: [
      "Epsilon 0, in the belief that the variance is never 0. A constant channel would be divided by zero.",
      "An epsilon below 1.2e-38, which becomes 0 in float32.",
    ],
    cure: "Take the epsilon that the model was trained with: 1e-3 in Keras, 1e-5 in PyTorch and ONNX, unless the model says otherwise.",
  },
  "invalid-momentum": {
    means: "Momentum is not a number from 0 to 1.",
    causes: ["A percentage, such as 99.", "A momentum of `null`, which in PyTorch means a cumulative average."],
    cure: "Momentum is the weight of the old value: 0.99 in Keras. PyTorch's 0.1 is 0.9 here; `fromPyTorch` converts it.",
  },
  "invalid-shape": {
    means: "A dimension of a shape is fractional, negative or no number.",
    causes: [
      "A dimension that came out of a division, such as 224 / 3.",
      "An unknown dimension of a model, as -1 or null, used for a real tensor.",
    ],
    cure: "Give the tensor's real dimensions, each a whole number from 0 up.",
  },
  "invalid-rank": {
    means: "The tensor has fewer than two axes, or more than the backend takes.",
    causes: ["A single vector, without a batch axis."],
    cure: "Put the batch axis in front: a vector of 3 features is `[1, 3]`. There is no batch in a tensor of rank 0 or 1, and frameworks disagree on what it would mean.",
  },
  "invalid-state": {
    means: "What was given as a state is not two parameters and two statistics.",
    causes: [
      "The four arrays side by side, and not within `parameters` and `statistics`.",
      "`get_weights()` of a Keras layer, handed over as it is.",
    ],
    cure: "Keep the two kinds apart: `{ parameters: { gamma, beta }, statistics: { movingMean, movingVariance } }`. For arrays in Keras's order there is `fromKerasWeights`.",
  },
  "wrong-length": {
    means: "The arrays of a state have different lengths, or none has an entry.",
    causes: ["Arrays of two different layers.", "An array of one number that was meant for all channels."],
    cure: "Give each array one number per channel. Nothing is repeated to fill up: an array that is too short is almost always the wrong one.",
  },
  "missing-parameter": {
    means: "`scale` or `center` is on, and gamma or beta is not there.",
    causes: ["A layer that was trained with `scale=False` or `center=False`, given without saying so."],
    cure: "Switch off what the layer does not have: `scale: false` where there is no gamma, `center: false` where there is no beta.",
  },
  "unexpected-parameter": {
    means: "`scale` or `center` is off, and yet gamma or beta was given.",
    causes: ["A config and a state of two different layers.", "Parameters of ones or zeros that a converter filled in."],
    cure: "Leave the parameter out, or switch `scale` or `center` on.",
  },
  "negative-variance": {
    means: "The moving variance of a channel is negative.",
    causes: [
      "Mean and variance were exchanged: a mean may be negative.",
      "Beta or gamma was taken for the variance, one place off in Keras's order.",
      "A variance that somebody computed as E[x²] − E[x]², which can fall below 0.",
    ],
    cure: "Look at the order of the arrays first. No data has a negative variance, so a model with one has no right result.",
  },
  "channel-mismatch": {
    means: "The tensor has another number of channels, on the layer's axis, than the state.",
    causes: ["The wrong axis: channels first data with `axis: -1`.", "The state of another layer."],
    cure: "Compare the shape in the message with the layer's axis. Channels first is `axis: 1`.",
  },
  "data-length": {
    means: "The data of a tensor does not fill its shape.",
    causes: [
      "A shape with height and width, or a batch size, of other data.",
      "A Uint8 image with four bytes per pixel, given a shape with three channels.",
    ],
    cure: "The product of the dimensions has to be the length of the data.",
  },
  "unknown-dtype": {
    means: "The tensor's type is not one that this backend takes.",
    causes: [
      "Pixels as whole numbers, in a Uint8Array or an int32 tensor.",
      "float64 data.",
      'A Uint16Array of bits that does not say which they are: put `dtype: "float16"` or `"bfloat16"` beside it.',
      "Half precision on a backend without it, such as that of TensorFlow.js.",
    ],
    cure: "Convert the data to float32. `supports.dtypes` of a backend lists what it takes. `@batchnorm/spec/half` has the numbers of float16 and bfloat16.",
  },
  "invalid-mask": {
    means: "The mask has another shape than x without its channel axis, or is not boolean.",
    causes: ["A mask of the shape of x.", "Weights per sample, where only yes or no is known."],
    cure: "Give one entry for every position: x of `[2, 5, 8]` with channels last has a mask of `[2, 5]`. 0 hides an element, any other byte shows it.",
  },
  "invalid-out": {
    means: "The output buffer has another shape or type than the result, or overlaps what a later `backward` needs.",
    causes: ["`out: x` in training. The gradient needs x as it was.", "A buffer of an earlier batch size."],
    cure: "Give a buffer of the shape of x. In place works in inference, and in training with `gradient: false`.",
  },
  "invalid-gradient": {
    means: "dy does not have the shape and the type of the last output.",
    causes: ["The gradient of another layer, or of another batch.", "A gradient that was already summed over the batch."],
    cure: "Pass the derivative of the loss with respect to every element of y.",
  },
  "empty-batch": {
    means: "Training was asked for on a tensor without elements.",
    causes: ["A last batch that a filter left empty."],
    cure: "Skip the batch. It has no mean; Keras would turn the statistics into NaN, and every inference after it. Inference on an empty batch is fine.",
  },
  "non-finite": {
    means: "The tensor holds a NaN or an infinity, and the layer was made with `nonFinite: 'reject'`.",
    causes: ["A loss that has diverged.", "A division by zero, or a logarithm of 0, before the layer."],
    cure: "The message names the channel. The statistics are as they were before the call, so training can go on with the next batch.",
  },
  "not-built": {
    means: "The layer was made without a state, and does not know yet how many channels it has.",
    causes: ["`state()` or `setState` before the first call."],
    cure: "Say how many channels there are, `create(config, channels)`, or call the layer first.",
  },
  "no-forward": {
    means: "`backward` was called without a forward pass that kept what it needs.",
    causes: [
      "The last call was an inference, which keeps nothing.",
      "The state was set between the two: the gradient would be of another function.",
    ],
    cure: "Call with `training: true`, or with `gradient: true` for the gradient of an inference, and set new parameters after `backward`.",
  },
  disposed: {
    means: "The layer was disposed of, and is used again.",
    causes: ["A cleanup that runs before the last batch.", "A layer that is shared between two owners."],
    cure: "Dispose of a layer when nothing uses it any more. Its state can be read before: `state()` gives a copy.",
  },
  unsupported: {
    means: "The backend says in its manifest that it cannot do this.",
    causes: [
      "`out` or `nonFinite: 'reject'` on tfjs.",
      "`kernels: 'wasm'` where WebAssembly is missing or forbidden.",
      "Training on a backend for inference.",
    ],
    cure: "Look at `backend.supports`, and take another backend or do without. Nothing is ever done approximately instead.",
  },
  "invalid-json": {
    means: "A serialized layer lacks a field, has one too many, or one of the wrong type.",
    causes: ["A file that was written by hand, or shortened.", "JSON of something else."],
    cure: "Write it with `toJSON`. There are no defaults on reading: epsilon and momentum differ between frameworks, and a file without them means something else to each.",
  },
  "wrong-version": {
    means: "A serialized layer, or a backend, is of another version of the contract.",
    causes: ["A file from a newer release.", "Packages of two different releases side by side."],
    cure: "Install all packages of batchnorm in the same version.",
  },
  "invalid-file": {
    means: "A model or a weight file cannot be read: it is truncated, damaged, contradicts itself, or its data lies outside its folder.",
    causes: [
      "A download that broke off.",
      "An HTML error page, or a Git LFS pointer, saved under the name of the model.",
      "Only the `.onnx` file was copied, and not the `.onnx.data` beside it.",
      "A model that was edited by hand: a tensor that does not fill its dimensions, a value that nobody gives.",
    ],
    cure:
      "Fetch or export the file again, and compare its size with the original. Of a model with data beside it give both files: " +
      "`readModel({ bytes, external: { 'model.onnx.data': file } })`, or drop them together.",
  },
  "unsupported-format": {
    means: "The file's format is known, and not read.",
    causes: ["A `.pt`, `.pth` or `.bin` of `torch.save`. It is a pickle, which is a program and not data."],
    cure: 'Convert it once in Python: `safetensors.torch.save_file(torch.load("x.pt", weights_only=True), "x.safetensors")`.',
  },
  "cannot-convert": {
    means: "A layer of another framework has no equal here, or the reverse.",
    causes: [
      "Keras's `renorm=True` or `virtual_batch_size`, which change the formulas.",
      "PyTorch's `momentum=None` or `track_running_stats=False`.",
      "A layer with another axis than 1, on its way to PyTorch or ONNX.",
    ],
    cure: "The message names what stands in the way. Where only the estimator differs, set `varianceEstimator` explicitly: inference is the same, further training is not.",
  },
  "runtime-failure": {
    means: "The runtime under the backend failed. `error.cause` has its own error.",
    causes: ["Memory that ran out.", "A model that this runtime does not take.", "A device that was lost."],
    cure: "Read `error.cause`. The layer's state is what it was before the call.",
  },
};
