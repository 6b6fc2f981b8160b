import type { ExternalData } from "../file/external.ts";
import type { NodeProto, TensorProto } from "../proto/index.ts";
import { elementTypeInfo } from "../tensor/element-type.ts";
import { isNumeric, readTensor } from "../tensor/read-tensor.ts";
import { dimsOf, sizeOf } from "../tensor/tensor-check.ts";
import { floatAttribute, floatsAttribute, hasAttribute, intAttribute, intsAttribute, tensorAttribute } from "./attribute.ts";
import { type Constant, fixed, type KnownConstants, LARGEST_VECTOR, type Numbers } from "./constant.ts";
import { evaluate } from "./evaluate.ts";
import { domainOf, producerOf, resolve, type Scope, type Value } from "./scope.ts";
import { Shapes } from "./shapes.ts";

/** Weights are computed with, too: 1 GB of float32. */
const LARGEST_WEIGHT = 2 ** 28;

/** Chains of constants; a longer one is no exporter's. */
const LONGEST_CHAIN = 64;

/** The constants of a model, computed from initializers and nodes when they are asked for. */
export class Constants implements KnownConstants {
  readonly #external: ExternalData;
  /** The shapes of values, which some constants are computed of. */
  readonly shapes: Shapes = new Shapes(this);
  readonly #known = new WeakMap<Scope, Map<string, Constant | null>>();

  constructor(external: ExternalData) {
    this.#external = external;
  }

  /**
   * The constant of a name as it is read in a scope, or null for one that is computed at run time, or not yet loaded.
   */
  get(scope: Scope, name: string): Constant | null {
    const value = resolve(scope, name);
    return value === null ? null : this.of(value, 0);
  }

  of(value: Value, depth: number = 0): Constant | null {
    if (depth > LONGEST_CHAIN) return null;
    let known = this.#known.get(value.scope);
    if (known === undefined) {
      known = new Map();
      this.#known.set(value.scope, known);
    }
    const before = known.get(value.name);
    if (before !== undefined) return before;
    const constant = this.#compute(value, depth);
    known.set(value.name, constant);
    return constant;
  }

  #compute(value: Value, depth: number): Constant | null {
    const { scope, name } = value;
    const node = producerOf(value);
    if (node === null) {
      const tensor = scope.initializers.get(name);
      return tensor === undefined || isSparse(scope, tensor) ? null : this.#leaf(tensor, scope.given.has(name) && isOverridable(scope));
    }
    if (domainOf(node) !== "" || node.output[0] !== name) return null;
    if (node.opType === "Constant") return this.#constantNode(scope, node);
    const read = (index: number): Constant | null | undefined => {
      const input = resolve(scope, node.input[index]);
      return input === null ? undefined : this.of(input, depth + 1);
    };
    return this.#ofShape(scope, node) ?? evaluate(scope, node, read, LARGEST_VECTOR);
  }

  /**
   * A Shape whose dimensions are all known, and a Gather of one known dimension of it: exporters compute targets of
   * Reshape so.
   */
  #ofShape(scope: Scope, node: NodeProto): Constant | null {
    if (node.opType === "Shape" && node.attribute.length === 0) {
      const shape = this.shapes.get(scope, node.input[0] ?? "");
      return shape === null || shape.includes(null) ? null : fixed("int64", [shape.length], Float64Array.from(shape as number[]));
    }
    if (node.opType !== "Gather" || intAttribute(scope, node, "axis", 0) !== 0) return null;
    const source = resolve(scope, node.input[0]);
    const producer = source && producerOf(source);
    const index = this.get(scope, node.input[1] ?? "");
    if (producer?.opType !== "Shape" || producer.attribute.length > 0 || index === null || index.dims.length > 1) return null;
    const shape = this.shapes.get(source!.scope, producer.input[0] ?? "");
    const at = index.read();
    const picked = shape === null || at === null ? null : Array.from(at, (k) => shape.at(k) ?? null);
    return picked === null || picked.includes(null) ? null : fixed("int64", index.dims, Float64Array.from(picked as number[]));
  }

  #leaf(tensor: TensorProto, overridable: boolean): Constant | null {
    if (!isNumeric(tensor)) return null;
    const dims = dimsOf(tensor);
    if (sizeOf(dims) > LARGEST_WEIGHT) return null;
    const type = elementTypeInfo(tensor.dataType)?.name ?? "";
    let numbers: Numbers | null = null;
    const read = (): Numbers | null => {
      const raw = numbers === null ? this.#external.bytes(tensor) : null;
      if (raw !== null) numbers = readTensor(tensor, raw).values;
      return numbers;
    };
    return { type, dims, overridable, read };
  }

  /** All forms of the node but text and sparse tensors, which hold no channels. */
  #constantNode(scope: Scope, node: NodeProto): Constant | null {
    const number = (type: string, value: number): Constant => fixed(type, [], Float64Array.of(value));
    const list = (type: string, values: readonly number[] | null): Constant =>
      fixed(type, [values?.length ?? 0], Float64Array.from(values ?? []));
    if (hasAttribute(node, "value")) {
      const tensor = tensorAttribute(scope, node, "value");
      return tensor === null ? null : this.#leaf(tensor, false);
    }
    if (hasAttribute(node, "value_float")) return number("float32", floatAttribute(scope, node, "value_float", 0));
    if (hasAttribute(node, "value_floats")) return list("float32", floatsAttribute(scope, node, "value_floats"));
    if (hasAttribute(node, "value_int")) return number("int64", intAttribute(scope, node, "value_int", 0));
    if (hasAttribute(node, "value_ints")) return list("int64", intsAttribute(scope, node, "value_ints"));
    return null;
  }
}

function isSparse(scope: Scope, tensor: TensorProto): boolean {
  return scope.proto.$typeName === "batchnorm.onnx.GraphProto" && scope.proto.sparseInitializer.some(({ values }) => values === tensor);
}

/** Before IR version 4 every initializer had to be an input, and nobody meant anything by it. */
function isOverridable(scope: Scope): boolean {
  return scope.kind === "graph" && scope.irVersion >= 4;
}
