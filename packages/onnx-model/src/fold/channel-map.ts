import { intAttribute } from "../graph/attribute.ts";
import { isOperator, type Scope } from "../graph/scope.ts";
import type { NodeProto } from "../proto/index.ts";

/**
 * Which channels every element of a weight connects. The weight is seen as `[rows, columns, inner]`: all of `inner`
 * connects the same two.
 */
export interface ChannelMap {
  readonly outputs: number;
  readonly inputs: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** The output channel that the elements of a row and column add to. */
  readonly outputOf: (row: number, column: number) => number;
  /** The input channel that they multiply. */
  readonly inputOf: (row: number, column: number) => number;
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
  if (isOperator(node, "Conv", "ConvTranspose")) {
    const group = intAttribute(scope, node, "group", 1);
    if (group < 1 || first % group !== 0) return null;
    const perGroup = first / group;
    const own = (row: number): number => row;
    const grouped = (row: number, column: number): number => Math.floor(row / perGroup) * second + column;
    const shape = { rows: first, columns: second, inner: kernel };
    return isOperator(node, "Conv")
      ? { outputs: first, inputs: second * group, ...shape, outputOf: own, inputOf: grouped, products: second * kernel }
      : { outputs: second * group, inputs: first, ...shape, outputOf: grouped, inputOf: own, products: perGroup * kernel };
  }
  const [rows, columns] = dims.slice(-2);
  const batch = dims.slice(0, -2).reduce((size, dimension) => size * dimension, 1);
  const shape = { rows: batch * rows, columns, inner: 1 };
  const rowOf = (row: number): number => row % rows;
  const columnOf = (_: number, column: number): number => column;
  const rowsAreOutputs = isOperator(node, "Gemm") ? intAttribute(scope, node, "transB", 0) === 1 : onLeft;
  return rowsAreOutputs
    ? { outputs: rows, inputs: columns, ...shape, outputOf: rowOf, inputOf: columnOf, products: columns }
    : { outputs: columns, inputs: rows, ...shape, outputOf: columnOf, inputOf: rowOf, products: rows };
}
