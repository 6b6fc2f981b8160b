import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type OnnxModel, readModel } from "../src/index.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeType,
  ElementType,
  type ElementTypeName,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../src/proto/index.ts";
import { floatTensor } from "../src/tensor/write-tensor.ts";

/** A float attribute; a plain number is an INT, a list of them INTS, a text STRING. */
export interface Float {
  readonly float: number;
}

export type AttributeValue = number | readonly number[] | string | Float | TensorProto | GraphProto;

export type Shape = readonly (number | string)[];

export function attribute(name: string, value: AttributeValue): AttributeProto {
  const of = (init: MessageInitShape<typeof AttributeProtoSchema>): AttributeProto => create(AttributeProtoSchema, { name, ...init });
  if (typeof value === "number") return of({ type: AttributeType.int, i: BigInt(value) });
  if (typeof value === "string") return of({ type: AttributeType.string, s: new TextEncoder().encode(value) });
  if (Array.isArray(value)) return of({ type: AttributeType.ints, ints: value.map(BigInt) });
  if ("float" in value) return of({ type: AttributeType.float, f: value.float });
  const message = value as TensorProto | GraphProto;
  if (message.$typeName === "batchnorm.onnx.TensorProto") return of({ type: AttributeType.tensor, t: message });
  return of({ type: AttributeType.graph, g: message });
}

export function valueInfo(name: string, shape: Shape, type: ElementTypeName = "float32"): ValueInfoProto {
  const dim = shape.map((dimension) => ({
    value:
      typeof dimension === "number"
        ? { case: "dimValue" as const, value: BigInt(dimension) }
        : { case: "dimParam" as const, value: dimension },
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: ElementType[type], shape: { dim } } } },
  });
}

export function float(name: string, values: readonly number[] | Float32Array, dims: readonly number[] = [values.length]): TensorProto {
  return floatTensor(name, "float32", dims, Float32Array.from(values));
}

export function int64(name: string, values: readonly number[], dims: readonly number[] = [values.length]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: ElementType.int64,
    rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  });
}

/**
 * A graph under construction, by the names of its values. Every method but `graph`, `proto`, `bytes` and `model` gives
 * a name.
 */
export class Models {
  readonly #graph: GraphProto = create(GraphProtoSchema, { name: "test" });
  #values = 0;

  input(name: string, shape: Shape, type: ElementTypeName = "float32"): string {
    this.#graph.input.push(valueInfo(name, shape, type));
    return name;
  }

  output(name: string, shape: Shape, type: ElementTypeName = "float32"): this {
    this.#graph.output.push(valueInfo(name, shape, type));
    return this;
  }

  initializer(tensor: TensorProto): string {
    this.#graph.initializer.push(tensor);
    return tensor.name;
  }

  float(values: readonly number[] | Float32Array, dims?: readonly number[], name: string = this.#fresh("c")): string {
    return this.initializer(float(name, values, dims));
  }

  int64(values: readonly number[], dims?: readonly number[], name: string = this.#fresh("c")): string {
    return this.initializer(int64(name, values, dims));
  }

  /** A node with one output. */
  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}, output?: string): string {
    return this.ops(type, inputs, attributes, [output ?? this.#fresh(type)])[0];
  }

  ops(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputs: readonly string[],
    more: MessageInitShape<typeof NodeProtoSchema> = {},
  ): readonly string[] {
    const node = create(NodeProtoSchema, {
      opType: type,
      name: `${type}_${this.#graph.node.length}`,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ...more,
    });
    this.#graph.node.push(node);
    return outputs;
  }

  get graph(): GraphProto {
    return this.#graph;
  }

  get nodes(): NodeProto[] {
    return this.#graph.node;
  }

  proto(opset: number = 15, more: MessageInitShape<typeof ModelProtoSchema> = {}): ModelProto {
    const opsetImport = [{ domain: "", version: BigInt(opset) }];
    return create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph: this.#graph, ...more });
  }

  bytes(opset?: number, more?: MessageInitShape<typeof ModelProtoSchema>): Uint8Array {
    return toBinary(ModelProtoSchema, this.proto(opset, more));
  }

  model(opset?: number, more?: MessageInitShape<typeof ModelProtoSchema>): OnnxModel {
    return readModel(this.bytes(opset, more));
  }

  #fresh(prefix: string): string {
    return `${prefix.toLowerCase()}_${this.#values++}`;
  }
}
