import type { NodeProto } from "../proto/index.ts";
import { elementTypeInfo, isFloat } from "../tensor/element-type.ts";
import { readTensor } from "../tensor/read-tensor.ts";
import { dimsOf, sizeOf } from "../tensor/tensor-check.ts";
import { roundFloat } from "../tensor/write-tensor.ts";
import { intAttribute, intsAttribute, tensorAttribute } from "./attribute.ts";
import { broadcastDims, broadcastOffsets } from "./broadcast.ts";
import type { Constant, Numbers } from "./constant.ts";
import { flatten, once, reshape, squeeze, transpose, unsqueeze } from "./evaluate-moves.ts";
import type { Scope } from "./scope.ts";

/** An input of a node: undefined where it was left out, null where it is no constant. */
type Input = (index: number) => Constant | null | undefined;

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Sqrt: Math.sqrt,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
};

/**
 * What a node makes of constants, or null where one of them is none or the operator is none that exporters leave
 * between a file's arrays and a layer. Arithmetic is in float64: what is lost by the runtime's float32 is not the
 * model's meaning.
 */
export function evaluate(scope: Scope, node: NodeProto, input: Input, most: number): Constant | null {
  const x = input(0);
  if (x === null || x === undefined) return null;
  const unary = UNARY[node.opType];
  if (unary !== undefined && isFloat(x.type)) return mapped(x, unary);
  const binary = BINARY[node.opType];
  if (binary !== undefined) return elementwise(scope, node, x, input(1), binary, most);
  switch (node.opType) {
    case "Identity":
      return x;
    case "Cast":
      return cast(x, intAttribute(scope, node, "to", 0));
    case "Transpose":
      return transpose(x, intsAttribute(scope, node, "perm"));
    case "Reshape":
      return reshape(
        x,
        scope.opset < 5 ? intsAttribute(scope, node, "shape") : integers(input(1)),
        intAttribute(scope, node, "allowzero", 0) === 1,
      );
    case "Flatten":
      return flatten(x, intAttribute(scope, node, "axis", 1));
    case "Squeeze":
      return squeeze(x, axesOf(scope, node, input));
    case "Unsqueeze":
      return unsqueeze(x, axesOf(scope, node, input));
    case "Expand":
      return expand(x, integers(input(1)), most);
    case "Concat":
      return concat(
        node.input.map((_, k) => input(k)),
        intAttribute(scope, node, "axis", 0),
      );
    case "ConstantOfShape":
      return constantOfShape(scope, node, integers(x), most);
    default:
      return null;
  }
}

function mapped(x: Constant, f: (value: number) => number): Constant {
  return { ...x, read: once(() => mapOf(x.read(), f)) };
}

function elementwise(
  scope: Scope,
  node: NodeProto,
  a: Constant,
  b: Constant | null | undefined,
  f: (a: number, b: number) => number,
  most: number,
): Constant | null {
  // Before opset 7 the second input was aligned by an attribute; no exporter of such files left arithmetic on
  // constants.
  if (b === null || b === undefined || !isFloat(a.type) || scope.opset < 7) return null;
  if (!isFloat(b.type) && node.opType !== "Pow") return null;
  const dims = broadcastDims(a.dims, b.dims);
  // Arithmetic on a weight is as large as the weight, which is in the file.
  if (dims === null || sizeOf(dims) > Math.max(most, sizeOf(a.dims), sizeOf(b.dims))) return null;
  const read = once(() => {
    const [left, right] = [a.read(), b.read()];
    if (left === null || right === null) return null;
    const [i, j] = [broadcastOffsets(a.dims, dims), broadcastOffsets(b.dims, dims)];
    return Float64Array.from(i, (at, k) => f(left[at], right[j[k]]));
  });
  return { type: a.type, dims, overridable: a.overridable || b.overridable, read };
}

function cast(x: Constant, to: number): Constant | null {
  const type = elementTypeInfo(to)?.name;
  if (type === undefined || (!isFloat(x.type) && !/^u?int|bool/.test(x.type))) return null;
  if (type === x.type) return x;
  if (isFloat(type)) return { ...x, type, read: once(() => mapOf(x.read(), (value) => roundFloat(type, value))) };
  return /^u?int/.test(type) ? { ...x, type, read: once(() => mapOf(x.read(), Math.trunc)) } : null;
}

function expand(x: Constant, shape: readonly number[] | null, most: number): Constant | null {
  const dims = shape === null || shape.some((dimension) => dimension < 0) ? null : broadcastDims(x.dims, shape);
  if (dims === null || sizeOf(dims) > most) return null;
  const read = once(() => {
    const values = x.read();
    return values && Float64Array.from(broadcastOffsets(x.dims, dims), (at) => values[at]);
  });
  return { ...x, dims, read };
}

/** Of vectors: what a shape is put together of. */
function concat(parts: readonly (Constant | null | undefined)[], axis: number): Constant | null {
  const vectors = parts.filter((part) => part?.dims.length === 1) as Constant[];
  if (vectors.length < parts.length || (axis !== 0 && axis !== -1) || vectors.some(({ type }) => type !== vectors[0].type)) return null;
  const read = once(() => {
    const values = vectors.map((vector) => vector.read());
    return values.some((each) => each === null) ? null : Float64Array.from(values.flatMap((each) => [...each!]));
  });
  const overridable = vectors.some((vector) => vector.overridable);
  return { type: vectors[0].type, dims: [vectors.reduce((sum, { dims }) => sum + dims[0], 0)], overridable, read };
}

function constantOfShape(scope: Scope, node: NodeProto, dims: readonly number[] | null, most: number): Constant | null {
  if (dims === null || dims.some((dimension) => dimension < 0) || !(sizeOf(dims) <= most)) return null;
  const tensor = tensorAttribute(scope, node, "value");
  if (tensor === null) return { type: "float32", dims, overridable: false, read: () => new Float32Array(sizeOf(dims)) };
  if (sizeOf(dimsOf(tensor)) !== 1 || tensor.dataLocation !== 0) return null;
  const { type, values } = readTensor(tensor);
  return { type, dims, overridable: false, read: once(() => new Float64Array(sizeOf(dims)).fill(values[0])) };
}

/** The axes of Squeeze and Unsqueeze: an attribute before opset 13, an input since. */
function axesOf(scope: Scope, node: NodeProto, input: Input): readonly number[] | null {
  return scope.opset < 13 ? intsAttribute(scope, node, "axes") : integers(input(1));
}

function integers(x: Constant | null | undefined): number[] | null {
  if (x === null || x === undefined || x.dims.length > 1 || sizeOf(x.dims) > 64) return null;
  const values = x.read();
  return values && [...values];
}

function mapOf(values: Numbers | null, f: (value: number) => number): Float64Array | null {
  return values && Float64Array.from(values, f);
}
