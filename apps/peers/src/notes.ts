/** What is worth knowing and no check of the suite is about. */
export interface Note {
  readonly says: string;
  readonly reproduction: string | null;
  readonly upstream?: { readonly url: string; readonly says: string };
}

export const NOTES: readonly Note[] = [
  {
    says: "onnxruntime 1.30: with `training_mode` 1 on an untrained layer, whose four vectors are initializers, y is wrong. Its optimizer merges initializers that are equal, and the running statistics, which nobody asked for, are written over them. Above, the vectors are inputs of the graph.",
    reproduction: "onnx-training-mode-of-initial-state.mjs",
    upstream: {
      url: "https://github.com/microsoft/onnxruntime/issues/29790",
      says: "is about it, with a [change that mends it](https://github.com/microsoft/onnxruntime/pull/29878) that was open when we looked",
    },
  },
  {
    says: "PyTorch: `requires_grad_(False)` alone freezes weight and bias; the running statistics go on. `eval()` stops them, as its documentation says, until the next `train()` of the model.",
    reproduction: "pytorch-frozen-by-requires-grad.py",
    upstream: { url: "https://github.com/pytorch/pytorch/issues/86590", says: "asks for an easier way" },
  },
  {
    says: "tfjs's layer accepts a mask and passes it on, as Keras 2 did. It does not use it, and is not judged by it.",
    reproduction: null,
  },
  { says: "js-pytorch 0.7.2 and ml-fnn 5.0.0 have no batch normalization.", reproduction: null },
];
