import type { KnownModel } from "../../../packages/onnx-model/test/fixtures.ts";
import { MODELS } from "../../../packages/onnx-model/test/fixtures.ts";

/** A model of the tests as a row of the table of forms. */
export interface Case {
  readonly form: string;
  readonly known: KnownModel;
}

const ROWS: readonly (readonly [form: string, id: string])[] = [
  ["Conv", "handmade/conv-bn"],
  ["Conv with bias", "handmade/conv-bias-bn"],
  ["Conv in groups", "handmade/conv-grouped-bn"],
  ["depthwise Conv", "handmade/conv-depthwise-bn"],
  ["Conv in 1 dimension", "handmade/conv1d-bn"],
  ["Conv in 3 dimensions", "handmade/conv3d-bn"],
  ["ConvTranspose", "handmade/convtranspose-bn"],
  ["ConvTranspose with bias", "handmade/convtranspose-bias-bn"],
  ["ConvTranspose in groups", "handmade/convtranspose-grouped-bn"],
  ["depthwise ConvTranspose", "handmade/convtranspose-depthwise-bn"],
  ["Gemm", "handmade/gemm-bn"],
  ["Gemm without bias", "handmade/gemm-no-bias-bn"],
  ["Gemm with alpha and beta", "handmade/gemm-alpha-beta-bn"],
  ["MatMul", "handmade/matmul-bn"],
  ["MatMul and Add", "handmade/matmul-add-bn"],
  ["MatMul, the constant on the left", "handmade/matmul-left-constant-bn"],
  ["Conv, through Transposes", "handmade/conv-transposes-bn"],
  ["two layers after a Conv", "handmade/conv-bn-bn"],
  ["before a Conv", "handmade/bn-conv"],
  ["before a Conv in groups", "handmade/bn-conv-grouped"],
  ["before a Gemm", "handmade/bn-gemm"],
  ["before a MatMul", "handmade/bn-matmul"],
  ["before a Conv that pads", "handmade/bn-conv-padded"],
  ["Conv + Mul + Add", "handmade/conv-mul-add"],
  ["Conv + Sub + Mul + Add", "handmade/conv-sub-mul-add"],
  ["Conv + Sub + Div + Mul + Add", "handmade/conv-sub-div-mul-add"],
  ["a weight that two Convs share, one with the layer", "handmade/shared-conv-weight-one-bn"],
  ["a Conv whose output is read twice", "handmade/conv-two-consumers-bn"],
  ["a Conv whose output is the graph's", "handmade/conv-graph-output-bn"],
  ["in training mode", "handmade/conv-training-bn"],
  ["a negative variance", "handmade/negative-variance"],
  ["arrays that a caller may replace", "handmade/overridable-initializers"],
  ["in the body of a Loop", "handmade/loop-body"],
  ["Keras 3 on TensorFlow", "keras/digits-onnx"],
  ["Keras 3 on JAX", "keras-jax/digits-strided"],
  ["Keras 3 on PyTorch, TorchScript", "keras-torch/digits-dynamic"],
  ["Keras 3 on PyTorch, dynamo", "keras-torch/digits-static"],
  ["tf_keras", "tf-keras/digits"],
  ["torch, ResNet-18, TorchScript, PRESERVE", "torch/resnet18-torchscript-preserve-eval"],
  ["torch, ResNet-18, half of it in training mode", "torch/resnet18-torchscript-preserve-mixed"],
  ["torch, MobileNetV2, TorchScript, PRESERVE", "torch/mobilenetv2-torchscript-preserve-eval"],
];

export const CASES: readonly Case[] = ROWS.map(([form, id]) => {
  const known = MODELS.find((each) => each.id === id);
  if (known === undefined) throw new Error(`The tests have no model ${id}.`);
  return { form, known };
});
