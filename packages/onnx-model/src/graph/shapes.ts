import type { NodeProto } from "../proto/index.ts";
import { intAttribute, intsAttribute } from "./attribute.ts";
import type { KnownConstants } from "./constant.ts";
import { isPermutation } from "./evaluate-moves.ts";
import { domainOf, producerOf, resolve, type Scope, type Value } from "./scope.ts";

/** A shape of which some dimensions are known only in a run. */
export type PartialShape = readonly (number | null)[];

/** Operators whose first output has the shape of their first input. */
const SAME_SHAPE: ReadonlySet<string> = new Set(
  (
    "Abs BatchNormalization Cast Ceil Celu Clip CumSum Dropout Elu Erf Exp Floor Gelu GroupNormalization HardSigmoid HardSwish Identity " +
    "InstanceNormalization LayerNormalization LeakyRelu Log LogSoftmax LRN MeanVarianceNormalization Mish Neg Not PRelu QuantizeLinear " +
    "DequantizeLinear Reciprocal Relu Round Selu Sigmoid Sign Sin Cos Softmax Softplus Softsign Sqrt Tanh ThresholdedRelu"
  ).split(" "),
);

const BROADCASTING: ReadonlySet<string> = new Set("Add Sub Mul Div Pow Max Min Mean Sum".split(" "));

const POOLS: ReadonlySet<string> = new Set("AveragePool MaxPool LpPool".split(" "));
const GLOBAL_POOLS: ReadonlySet<string> = new Set("GlobalAveragePool GlobalMaxPool GlobalLpPool".split(" "));
const REDUCTIONS = /^Reduce/;

/** Long chains of nodes are walked over by recursion, and the stack ends at some ten thousand frames. */
const DEEPEST = 1500;

/** What can be said of the shapes of values: as the file declares them, or as the nodes before them have it. */
export class Shapes {
  readonly #constants: KnownConstants;
  readonly #known = new WeakMap<Scope, Map<string, PartialShape | null>>();

  constructor(constants: KnownConstants) {
    this.#constants = constants;
  }

  /** The shape of a name as it is read in a scope, or null where not even its rank is known. */
  get(scope: Scope, name: string): PartialShape | null {
    return this.#read(scope, name, 0);
  }

  #read(scope: Scope, name: string, depth: number): PartialShape | null {
    const value = resolve(scope, name);
    return value === null || depth > DEEPEST ? null : this.#of(value, depth);
  }

  #of(value: Value, depth: number): PartialShape | null {
    let known = this.#known.get(value.scope);
    if (known === undefined) {
      known = new Map();
      this.#known.set(value.scope, known);
    }
    const before = known.get(value.name);
    if (before !== undefined) return before;
    const shape = declared(value) ?? this.#constants.of(value)?.dims ?? this.#inferred(value, depth);
    known.set(value.name, shape);
    return shape;
  }

  #inferred(value: Value, depth: number): PartialShape | null {
    const node = producerOf(value);
    if (node === null || domainOf(node) !== "" || node.output[0] !== value.name) return null;
    const { scope } = value;
    const { opType } = node;
    const input = (index: number): PartialShape | null => this.#read(scope, node.input[index] ?? "", depth + 1);
    if (SAME_SHAPE.has(opType)) return input(0);
    if (BROADCASTING.has(opType)) return node.input.map((_, k) => input(k)).reduce(broadcast);
    if (POOLS.has(opType)) return pooled(input(0), null);
    if (GLOBAL_POOLS.has(opType)) return pooled(input(0), 1);
    if (REDUCTIONS.test(opType)) return this.#reduced(scope, node, input(0));
    switch (opType) {
      case "Conv": {
        const weight = input(1);
        return weight && pooled([input(0)?.[0] ?? null, ...weight.slice(0, 1), ...weight.slice(2)], null);
      }
      case "ConvTranspose": {
        const weight = input(1);
        const channels = weight?.[1] ? weight[1] * intAttribute(scope, node, "group", 1) : null;
        return weight && pooled([input(0)?.[0] ?? null, channels, ...weight.slice(2)], null);
      }
      case "Gemm": {
        const weight = input(1);
        return [null, weight?.[intAttribute(scope, node, "transB", 0) === 1 ? 0 : 1] ?? null];
      }
      case "MatMul":
        return matMul(input(0), input(1));
      case "Flatten":
        return [null, null];
      case "Transpose": {
        const x = input(0);
        const perm = intsAttribute(scope, node, "perm") ?? x?.map((_, k) => x.length - 1 - k);
        return perm && isPermutation(perm, perm.length) ? perm.map((axis) => x?.[axis] ?? null) : null;
      }
      case "Reshape":
        return this.#reshaped(scope, node, input(0));
      case "Squeeze":
      case "Unsqueeze": {
        const axes = axesOf(this.#constants, scope, node);
        const x = input(0);
        return x && axes && (opType === "Squeeze" ? removed(x, axes) : inserted(x, axes));
      }
      case "Concat":
      case "Pad":
      case "Slice":
      case "Resize":
      case "Upsample":
        return input(0)?.map(() => null) ?? null;
      default:
        return null;
    }
  }

  #reshaped(scope: Scope, node: NodeProto, x: PartialShape | null): PartialShape | null {
    const shape = reshapeTarget(this.#constants, scope, node);
    return shape?.map((dimension, k) => (dimension > 0 ? dimension : dimension === 0 ? (x?.[k] ?? null) : null)) ?? null;
  }

  #reduced(scope: Scope, node: NodeProto, x: PartialShape | null): PartialShape | null {
    const axes = reducedAxes(this.#constants, scope, node);
    if (x === null || axes === null) return null;
    const all = axes.map((axis) => (axis < 0 ? axis + x.length : axis));
    if (intAttribute(scope, node, "keepdims", 1) === 1) return x.map((dimension, k) => (all.includes(k) ? 1 : dimension));
    return x.filter((_, k) => !all.includes(k));
  }
}

function declared({ scope, name }: Value): PartialShape | null {
  const type = scope.types.get(name)?.value;
  if (type?.case !== "tensorType" || type.value.shape === undefined) return null;
  return type.value.shape.dim.map(({ value }) => (value.case === "dimValue" && value.value >= 0n ? Number(value.value) : null));
}

function broadcast(a: PartialShape | null, b: PartialShape | null): PartialShape | null {
  if (a === null || b === null) return null;
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, k) => {
    const [left, right] = [a, b].map((shape) => (k < rank - shape.length ? 1 : shape[k - rank + shape.length]));
    if (left === 1) return right;
    return right === 1 || left !== null ? left : right;
  });
}

function pooled(x: PartialShape | null, size: number | null): PartialShape | null {
  return x?.map((dimension, k) => (k < 2 ? dimension : size)) ?? null;
}

function matMul(a: PartialShape | null, b: PartialShape | null): PartialShape | null {
  if (a === null || b === null || a.length < 2 || b.length < 2) return null;
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
  return batch && [...batch, a[a.length - 2], b[b.length - 1]];
}

function removed(x: PartialShape, axes: readonly number[]): PartialShape {
  const all = axes.map((axis) => (axis < 0 ? axis + x.length : axis));
  return x.filter((_, k) => !all.includes(k));
}

function inserted(x: PartialShape, axes: readonly number[]): PartialShape {
  const rank = x.length + axes.length;
  const all = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const rest = [...x];
  return Array.from({ length: rank }, (_, k) => (all.includes(k) ? 1 : (rest.shift() ?? null)));
}

/** The axes of a Squeeze or Unsqueeze, where the file says them: an attribute before opset 13, an input since. */
export function axesOf(constants: KnownConstants, scope: Scope, node: NodeProto): readonly number[] | null {
  return sane(scope.opset < 13 ? intsAttribute(scope, node, "axes") : integers(constants, scope, node.input[1] ?? ""));
}

/**
 * The axes of a reduction, where the file says them: an attribute before opset 18 (ReduceSum: 13), an input since. Null
 * for all axes, too.
 */
export function reducedAxes(constants: KnownConstants, scope: Scope, node: NodeProto): readonly number[] | null {
  return sane(intsAttribute(scope, node, "axes") ?? integers(constants, scope, node.input[1] ?? ""));
}

/** No tensor has so many axes: what lies beyond is no axis, and lists of that length are not to be made. */
const MOST_AXES = 64;

function sane(axes: readonly number[] | null): readonly number[] | null {
  return axes?.every((axis) => Number.isInteger(axis) && axis >= -MOST_AXES && axis < MOST_AXES) ? axes : null;
}

/** The shape that a Reshape is given: 0 is the dimension of the input, -1 what is left. */
export function reshapeTarget(constants: KnownConstants, scope: Scope, node: NodeProto): readonly number[] | null {
  return scope.opset < 5 ? intsAttribute(scope, node, "shape") : integers(constants, scope, node.input[1] ?? "");
}

function integers(constants: KnownConstants, scope: Scope, name: string): number[] | null {
  const constant = name === "" ? null : constants.get(scope, name);
  if (constant === null || constant.dims.length > 1 || (constant.dims[0] ?? 1) > 64) return null;
  const values = constant.read();
  return values && [...values];
}
