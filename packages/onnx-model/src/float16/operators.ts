import { isOperator } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/** Operators whose inputs and outputs are all of one floating-point type. */
const ALL_INPUTS: ReadonlySet<string> = new Set(
  (
    "Add Sub Mul Div Max Min Neg Abs Relu LeakyRelu Elu Selu Celu Sigmoid Tanh HardSigmoid HardSwish Softplus Softsign Gelu Mish Erf Floor Ceil " +
    "Identity Concat Conv ConvTranspose Gemm MatMul PRelu Clip Transpose Flatten AveragePool MaxPool DepthToSpace SpaceToDepth"
  ).split(" "),
);

/** Operators whose first input and output are of one type, and whose other inputs are integers. */
const FIRST_INPUT: ReadonlySet<string> = new Set("Reshape Squeeze Unsqueeze Expand Slice Gather Tile Split".split(" "));

/**
 * Operators that have a floating-point output where their first input is floating-point, but stay in float32: they sum
 * over many elements, as means and softmax do, and 65504 is soon reached; or take exponentials and powers; or want
 * float32 for some other input, as Resize does. A variance, and so BatchNormalization, is never kept in float16.
 */
const FLOAT_OUTPUT: ReadonlySet<string> = new Set(
  (
    "BatchNormalization InstanceNormalization LayerNormalization GroupNormalization LRN GlobalAveragePool GlobalMaxPool GlobalLpPool LpPool " +
    "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp Softmax LogSoftmax Exp Log " +
    "Sqrt Reciprocal Pow Sin Cos Tan Atan Asin Acos Round Sign Mean Sum Resize Upsample Pad Where CumSum Einsum GRU LSTM RNN TopK Dropout " +
    "GridSample RoiAlign MeanVarianceNormalization LpNormalization ThresholdedRelu ReverseSequence ScatterND ScatterElements GatherElements GatherND"
  ).split(" "),
);

/** Which inputs of a node become float16 with it; null for an operator that stays in float32. */
export function float16Inputs(node: NodeProto): readonly number[] | null {
  const given = node.input.map((_, k) => k).filter((k) => node.input[k] !== "");
  if (isOperator(node, ...ALL_INPUTS)) return given;
  return isOperator(node, ...FIRST_INPUT) ? [0] : null;
}

/** Whether an output is of the type of the data that goes in. MaxPool and TopK have indices behind it. */
export function keepsType(node: NodeProto, output: number): boolean {
  if (isOperator(node, "MaxPool", "TopK", "Dropout")) return output === 0;
  return isOperator(node, ...ALL_INPUTS) || isOperator(node, ...FIRST_INPUT) || isOperator(node, ...FLOAT_OUTPUT);
}

/** The input whose type the output has: of Where the second. */
export function typeGivingInput(node: NodeProto): number {
  return isOperator(node, "Where") ? 1 : 0;
}
