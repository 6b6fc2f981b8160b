import { arraysOf } from "../find/affine.ts";
import { floatAttribute } from "../graph/attribute.ts";
import { biasedInput } from "../graph/climb.ts";
import type { Constant, Numbers } from "../graph/constant.ts";
import { isOperator } from "../graph/scope.ts";
import type { Axis, Context } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import type { FloatName } from "../tensor/element-type.ts";
import { sizeOf } from "../tensor/tensor-check.ts";
import { roundFloat } from "../tensor/write-tensor.ts";
import { type FoldBound, foldBound } from "./bound.ts";
import type { Plan } from "./plan.ts";
import { type Refusal, refusal } from "./reason.ts";
import { addsOf } from "./site.ts";

/** A constant as it will be, in float64, to be rounded once. */
export interface NewConstant {
  readonly type: FloatName;
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

/** All numbers of a fold. */
export interface FoldNumbers {
  readonly weight: NewConstant;
  /** The bias of a Conv, ConvTranspose or Gemm; null where it has none and needs none. */
  readonly bias: NewConstant | null;
  /** The constants of the Adds between, backward. */
  readonly adds: readonly { readonly node: NodeProto; readonly index: number; readonly constant: NewConstant }[];
  /** What has to be added after a MatMul, per output channel; null for nothing. */
  readonly rest: Float64Array | null;
  readonly bound: FoldBound;
}

/**
 * The numbers of a fold, in float64. Backward, with y = k (W x + b) + l:
 *
 *     W' = k W        b' = k b + l        and, with Adds of c between, c' = k c, the last one with l
 *
 * Forward, with y = W (k x + l) + b:
 *
 *     W' = W k        b' = b + W l
 *
 * Null as long as a weight has to be loaded; a refusal where a number would be too large for its type.
 */
export function foldNumbers(context: Context, plan: Plan): FoldNumbers | Refusal | null {
  const { linear, scope, weight, map, affine, direction } = plan;
  const values = weight.read();
  const alpha = isOperator(linear, "Gemm") ? floatAttribute(scope, linear, "alpha", 1) : 1;
  const old = oldBias(context, plan);
  const between = direction === "backward" ? addsOf(context, plan.match.scope, plan.passed) : [];
  const adds = between.map((node) => addConstant(context, plan, node));
  if (values === null || old === undefined || adds.some((each) => each.values === null)) return null;
  const { multiplier: k, offset: l } = affine;
  const backward = direction === "backward";
  const scaled = new Float64Array(values.length);
  const weights = new Float64Array(map.outputs);
  const shift = backward ? l : new Float64Array(map.outputs);
  const magnitudeOfShift = new Float64Array(map.outputs);
  const parts = magnitudesOf(plan);
  let at = 0;
  for (let row = 0; row < map.rows; row++) {
    for (let column = 0; column < map.columns; column++) {
      const [out, from] = [map.outputOf(row, column), map.inputOf(row, column)];
      const factor = k[backward ? out : from];
      let [sum, magnitude] = [0, 0];
      for (let inner = 0; inner < map.inner; inner++, at++) {
        scaled[at] = factor * values[at];
        sum += values[at];
        magnitude += Math.abs(values[at]);
      }
      weights[out] += Math.abs(alpha * factor) * magnitude;
      if (backward) continue;
      shift[out] += alpha * sum * l[from];
      magnitudeOfShift[out] += Math.abs(alpha) * magnitude * parts[from];
    }
  }
  if (backward) magnitudeOfShift.set(parts);
  const gain = backward ? k : new Float64Array(map.outputs).fill(1);
  const ownAdds = adds.length > 0;
  const isMatMul = isOperator(linear, "MatMul");
  const bias = isMatMul ? null : newBias(plan, old, gain, ownAdds ? new Float64Array(map.outputs) : shift);
  const newAdds = adds.map(({ node, index, constant, values: c }, at) => {
    const last = at === adds.length - 1;
    const next = Float64Array.from(k, (factor, channel) => factor * c![c!.length === 1 ? 0 : channel] + (last ? l[channel] : 0));
    return {
      node,
      index,
      constant: { type: constant.type as FloatName, dims: widened(constant.dims, k.length, plan, node), values: next },
    };
  });
  const rest = isMatMul && !ownAdds && shift.some((value) => value !== 0) ? shift : null;
  const all = [{ type: weight.type, values: scaled }, ...(bias === null ? [] : [bias]), ...newAdds.map(({ constant }) => constant)];
  if (all.some(overflows) && values.every(Number.isFinite)) {
    return refusal("overflow", `A folded weight of the ${linear.opType} would be too large for ${weight.type}.`);
  }
  const constants = Float64Array.from(magnitudeOfShift, (value, out) => {
    const biases =
      (old === null ? 0 : largestOf(old, out, map.outputs)) +
      adds.reduce((sum, { values: c }) => sum + Math.abs(c![c!.length === 1 ? 0 : out]), 0);
    return value + Math.abs(gain[out]) * biases;
  });
  const gains = backward ? k.map(Math.abs) : new Float64Array(map.outputs);
  const bound = foldBound(weight.type, { products: map.products, weights, constants, gains });
  return { weight: { type: weight.type, dims: weight.dims, values: scaled }, bias, adds: newAdds, rest, bound };
}

function overflows({ type, values }: Pick<NewConstant, "type" | "values">): boolean {
  return values.some((value) => !Number.isFinite(roundFloat(type, value)));
}

interface OldBias {
  readonly dims: readonly number[];
  /** Times the Gemm's beta. */
  readonly values: Float64Array;
}

/** The bias as it is; null where there is none, undefined as long as it has to be loaded. */
function oldBias({ constants }: Context, { linear, scope }: Plan): OldBias | null | undefined {
  if (isOperator(linear, "MatMul") || !linear.input[2]) return null;
  const constant = constants.get(scope, linear.input[2]);
  const values = constant?.read();
  if (!constant || !values) return undefined;
  const beta = isOperator(linear, "Gemm") ? floatAttribute(scope, linear, "beta", 1) : 1;
  // C is not added with beta 0, whatever it holds.
  return beta === 0 ? null : { dims: constant.dims, values: Float64Array.from(values, (value) => beta * value) };
}

/** gain b + shift; null where there was no bias and nothing is added. */
function newBias({ weight, map }: Plan, old: OldBias | null, gain: Float64Array, shift: Float64Array): NewConstant | null {
  const { type } = weight;
  if (old === null) return shift.every((value) => value === 0) ? null : { type, dims: [map.outputs], values: shift.slice() };
  // A Gemm's C may have rows of its own, and may be one number, or one for each row: then it grows.
  const rows = old.dims.length === 2 ? old.dims[0] : 1;
  const columns = old.values.length / Math.max(rows, 1);
  const values = new Float64Array(rows * map.outputs);
  for (let at = 0; at < values.length; at++) {
    const [row, out] = [Math.floor(at / map.outputs), at % map.outputs];
    values[at] = gain[out] * old.values[row * columns + (columns === 1 ? 0 : out)] + shift[out];
  }
  return { type, dims: old.dims.length === 2 ? [rows, map.outputs] : [map.outputs], values };
}

function largestOf({ dims, values }: OldBias, out: number, outputs: number): number {
  const rows = dims.length === 2 ? dims[0] : 1;
  const columns = values.length / Math.max(rows, 1);
  let largest = 0;
  for (let row = 0; row < rows; row++) largest = Math.max(largest, Math.abs(values[row * columns + (columns < outputs ? 0 : out)]));
  return largest;
}

function addConstant(
  context: Context,
  { match }: Plan,
  node: NodeProto,
): { node: NodeProto; index: number; constant: Constant; values: Numbers | null } {
  const data = biasedInput(context, match.scope, node);
  const index = node.input.indexOf(data ?? "") === 0 ? 1 : 0;
  const constant = context.constants.get(match.scope, node.input[index])!;
  return { node, index, constant, values: constant.read() };
}

/**
 * The shape of a constant between: its own, or for one number that becomes one per channel, that of a vector along the
 * layer's axis there.
 */
function widened(dims: readonly number[], channels: number, { axes }: Plan, node: NodeProto): readonly number[] {
  return sizeOf(dims) === channels ? dims : vectorDims(axes.get(node)!, channels);
}

/** `[channels]` as it broadcasts along an axis: with a 1 for every axis after it. */
export function vectorDims({ axis, rank }: Axis, channels: number): number[] {
  const fromEnd = axis < 0 ? -axis : rank === null ? 1 : rank - axis;
  return [channels, ...Array.from({ length: fromEnd - 1 }, () => 1)];
}

/** |k mean| + |beta| per channel of the layer, or |l| where the file has only that. */
function magnitudesOf({ match, affine: { multiplier, offset } }: Plan): Float64Array {
  const { movingMean, beta } = arraysOf(match);
  if (movingMean === null) return offset.map(Math.abs);
  return multiplier.map((k, c) => Math.abs(k * movingMean[c]) + Math.abs(beta?.[c] ?? 0));
}
