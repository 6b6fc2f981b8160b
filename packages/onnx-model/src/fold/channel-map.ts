import { intAttribute } from "../graph/attribute.ts";
import { isOperator, type Scope } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/** Which channels every element of a weight connects. */
export interface ChannelMap {
  readonly outputs: number;
  readonly inputs: number;
  /** The output channel that the element at an offset adds to. */
  readonly outputOf: (offset: number) => number;
  /** The input channel that it multiplies. */
  readonly inputOf: (offset: number) => number;
  /** The most products that one number of the output is the sum of. */
  readonly products: number;
}

/**
 * The channels of a weight:
 *
 *     Conv            [M, C / group, kernel...]
 *     ConvTranspose   [C, M / group, kernel...]
 *     Gemm            [K, N], or [N, K] with transB
 *     MatMul          [..., K, N] on the right, [..., M, K] on the left
 *
 * Null for a weight that has not the shape that its node wants.
 *
 * Source: ONNX operators, `Conv` version 11, `ConvTranspose` version 11, `Gemm` version 13, `MatMul` version 13.
 */
export function channelMap(scope: Scope, node: NodeProto, dims: readonly number[], onLeft: boolean): ChannelMap | null {
  if (dims.length < 2 || dims.includes(0)) return null;
  const kernel = dims.slice(2).reduce((size, dimension) => size * dimension, 1);
  const [first, second] = dims;
  if (isOperator(node, "Conv")) {
    const group = intAttribute(scope, node, "group", 1);
    if (group < 1 || first % group !== 0) return null;
    const perGroup = first / group;
    const outputOf = (offset: number): number => Math.floor(offset / (second * kernel));
    const inputOf = (offset: number): number => Math.floor(outputOf(offset) / perGroup) * second + (Math.floor(offset / kernel) % second);
    return { outputs: first, inputs: second * group, outputOf, inputOf, products: second * kernel };
  }
  if (isOperator(node, "ConvTranspose")) {
    const group = intAttribute(scope, node, "group", 1);
    if (group < 1 || first % group !== 0) return null;
    const perGroup = first / group;
    const inputOf = (offset: number): number => Math.floor(offset / (second * kernel));
    const outputOf = (offset: number): number => Math.floor(inputOf(offset) / perGroup) * second + (Math.floor(offset / kernel) % second);
    return { outputs: second * group, inputs: first, outputOf, inputOf, products: perGroup * kernel };
  }
  const [rows, columns] = dims.slice(-2);
  const rowOf = (offset: number): number => Math.floor(offset / columns) % rows;
  const columnOf = (offset: number): number => offset % columns;
  const rowsAreOutputs = isOperator(node, "Gemm") ? intAttribute(scope, node, "transB", 0) === 1 : onLeft;
  return rowsAreOutputs
    ? { outputs: rows, inputs: columns, outputOf: rowOf, inputOf: columnOf, products: columns }
    : { outputs: columns, inputs: rows, outputOf: columnOf, inputOf: rowOf, products: rows };
}
