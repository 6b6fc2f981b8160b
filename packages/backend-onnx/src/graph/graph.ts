import {
  type AttributeProtoSchema,
  AttributeType,
  ElementType,
  type ElementTypeName,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "@batchnorm/onnx-model/proto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";

/** Something that a graph computes or is given, by its name in there. */
export type Value = string;

/** A dimension: a number, or the name of one that only a run knows. */
export type Dimension = number | string;

/** A FLOAT attribute; a plain number is an INT, a list of them INTS. */
export interface FloatAttribute {
  readonly float: number;
}

export type Attributes = Readonly<Record<string, number | readonly number[] | FloatAttribute>>;

/** The opset of every graph that this package writes: the first whose BatchNormalization is today's (its last change). */
export const OPSET = 15;

/** The IR version that came with opset 15 (ONNX 1.10). */
const IR_VERSION = 8;

/** An ONNX model under construction. Every method appends to it; a formula reads as nested calls. */
export class Graph {
  readonly #name: string;
  readonly #nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly #initializers: MessageInitShape<typeof TensorProtoSchema>[] = [];
  readonly #inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  readonly #outputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  /** The names that `output` gave to values. */
  readonly #renamed = new Map<Value, Value>();
  #values = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementTypeName, shape: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Makes the value an output of the model, which then goes by that name. A value can be one output, and no input. */
  output(name: string, value: Value, type: ElementTypeName, shape: readonly Dimension[]): void {
    this.#renamed.set(value, name);
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** A float32 constant: a scalar, or an array under a name of its own. */
  float32(data: number | Float32Array, name: Value = this.#fresh()): Value {
    const array = typeof data === "number" ? Float32Array.of(data) : data;
    const dims = typeof data === "number" ? [] : [BigInt(data.length)];
    this.#initializers.push({ name, dims, dataType: ElementType.float32, rawData: bytesOf(array) });
    return name;
  }

  /** An int64 constant: a scalar such as an index, or a vector such as a shape. */
  int64(data: number | readonly number[]): Value {
    const name = this.#fresh();
    const array = BigInt64Array.from(typeof data === "number" ? [data] : data, BigInt);
    const dims = typeof data === "number" ? [] : [BigInt(data.length)];
    this.#initializers.push({ name, dims, dataType: ElementType.int64, rawData: bytesOf(array) });
    return name;
  }

  /** Any operator with one output. */
  op(type: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.ops(type, inputs, attributes, 1)[0];
  }

  /** Any operator. */
  ops(type: string, inputs: readonly Value[], attributes: Attributes, outputs: number): Value[] {
    const output = Array.from({ length: outputs }, () => this.#fresh());
    this.#nodes.push({ opType: type, input: [...inputs], output, attribute: Object.entries(attributes).map(attribute) });
    return output;
  }

  add(a: Value, b: Value): Value {
    return this.op("Add", [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.op("Sub", [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.op("Mul", [a, b]);
  }

  div(a: Value, b: Value): Value {
    return this.op("Div", [a, b]);
  }

  /** `ifTrue` where the condition holds, `ifFalse` elsewhere: chosen, not multiplied, so that a NaN does not come through. */
  where(condition: Value, ifTrue: Value, ifFalse: Value): Value {
    return this.op("Where", [condition, ifTrue, ifFalse]);
  }

  /** The serialized model. */
  bytes(opset: number = OPSET): Uint8Array {
    const renamed = (value: Value): Value => this.#renamed.get(value) ?? value;
    const node = this.#nodes.map((each, index) => ({
      ...each,
      name: `${each.opType}_${index}`,
      input: each.input?.map(renamed) ?? [],
      output: each.output?.map(renamed) ?? [],
    }));
    const graph = { name: this.#name, node, initializer: this.#initializers, input: this.#inputs, output: this.#outputs };
    const model = {
      irVersion: BigInt(IR_VERSION),
      opsetImport: [{ domain: "", version: BigInt(opset) }],
      producerName: "batchnorm",
      graph,
    };
    return toBinary(ModelProtoSchema, create(ModelProtoSchema, model));
  }

  #fresh(): Value {
    return `value_${this.#values++}`;
  }
}

function attribute([name, value]: [string, Attributes[string]]): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === "number") return { name, type: AttributeType.int, i: BigInt(value) };
  if ("float" in value) return { name, type: AttributeType.float, f: value.float };
  return { name, type: AttributeType.ints, ints: value.map(BigInt) };
}

function valueInfo(name: string, type: ElementTypeName, shape: readonly Dimension[]): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((dimension) => ({
    value:
      typeof dimension === "number"
        ? { case: "dimValue" as const, value: BigInt(dimension) }
        : { case: "dimParam" as const, value: dimension },
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType: ElementType[type], shape: { dim } } } } };
}

/** The bytes of an array as raw_data wants them: little-endian, as typed arrays are on every platform with an ONNX Runtime. */
function bytesOf(array: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.slice().buffer);
}
