import { create } from "@bufbuild/protobuf";
import { allScopes, buildScopes } from "../graph/build-scopes.ts";
import { type Scope, usesOf } from "../graph/scope.ts";
import {
  AttributeProtoSchema,
  AttributeType,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  ValueInfoProtoSchema,
} from "../proto/index.ts";
import { dimsOf } from "../tensor/tensor-check.ts";
import { copyModel, shallow } from "./copy.ts";

/** A model under change. Scopes that were built before a change do not know of it: build them anew. */
export class Draft {
  readonly proto: ModelProto;
  /** How often something was wired otherwise, added or removed: numbers in a tensor are no change of the graph. */
  changes = 0;
  readonly #names = new Set<string>();
  /** What lost a reader: it goes when nobody else reads it. By the graph or function that defines it. */
  readonly #dropped = new Map<GraphProto | FunctionProto, Set<string>>();

  constructor(source: ModelProto) {
    this.proto = copyModel(source);
    for (const scope of allScopes(buildScopes(this.proto))) {
      for (const name of [...scope.inputs, ...scope.initializers.keys(), ...scope.producers.keys()]) this.#names.add(name);
    }
  }

  /** A name that nothing in the model has, in any graph. */
  freshName(base: string): string {
    let name = base;
    for (let k = 2; this.#names.has(name); k++) name = `${base}_${k}`;
    this.#names.add(name);
    return name;
  }

  /**
   * Puts a tensor where the nodes of a scope can read it, in place of the constant of that name if there is one.
   * Functions have no initializers.
   */
  addTensor(scope: Scope, tensor: TensorProto): void {
    const { proto } = scope;
    this.#names.add(tensor.name);
    const constant = proto.node.find((node) => node.opType === "Constant" && node.output[0] === tensor.name);
    if (constant !== undefined) constant.attribute = [valueAttribute(tensor)];
    else if (proto.$typeName === "batchnorm.onnx.FunctionProto") {
      const attribute = [valueAttribute(tensor)];
      proto.node.unshift(create(NodeProtoSchema, { opType: "Constant", output: [tensor.name], name: tensor.name, attribute }));
    } else this.#addInitializer(scope, proto, tensor);
  }

  #addInitializer(scope: Scope, graph: GraphProto, tensor: TensorProto): void {
    const at = graph.initializer.findLastIndex(({ name }) => name === tensor.name);
    if (at >= 0) graph.initializer[at] = tensor;
    else graph.initializer.push(tensor);
    // Before IR version 4 every initializer is an input, too.
    const isInput = graph.input.some(({ name }) => name === tensor.name);
    if (this.proto.irVersion < 4n && scope.kind === "graph" && !isInput) graph.input.push(inputOf(tensor));
  }

  /**
   * The name under which a changed version of a constant can stand: its own, if it is a tensor that only this input
   * reads; else a new one, so that no other reader sees the change.
   */
  nameFor(scope: Scope, name: string, base: string): string {
    const isTensor = scope.initializers.has(name) || scope.producers.get(name)?.opType === "Constant";
    const isOwn = isTensor && usesOf({ scope, name }).length === 1 && !scope.outputs.has(name);
    return isOwn ? name : this.freshName(base);
  }

  /** Lets an input of a node read something else. */
  rewire(scope: Scope, node: NodeProto, index: number, name: string): void {
    const before = node.input[index] ?? "";
    while (node.input.length < index) node.input.push("");
    node.input[index] = name;
    if (before === name) return;
    this.changes++;
    if (before !== "") this.drop(scope, before);
  }

  /** Notes that a name lost a reader. */
  drop(scope: Scope, name: string): void {
    for (let at: Scope | null = scope; at !== null; at = at.outer) {
      const names = this.#dropped.get(at.proto);
      if (names === undefined) this.#dropped.set(at.proto, new Set([name]));
      else names.add(name);
    }
  }

  removeNodes(scope: Scope, nodes: readonly NodeProto[]): void {
    this.changes++;
    scope.proto.node = scope.proto.node.filter((node) => !nodes.includes(node));
    for (const node of nodes) for (const name of node.input) this.drop(scope, name);
  }

  /** Puts a node in the place of others, or after one. */
  replaceNodes(scope: Scope, nodes: readonly NodeProto[], by: NodeProto): void {
    const { proto } = scope;
    const at = proto.node.indexOf(nodes[nodes.length - 1]);
    proto.node.splice(at, 0, by);
    this.removeNodes(scope, nodes);
  }

  /** Removes what lost its last reader: constants, and the nodes that computed them. What nobody read before stays. */
  removeUnused(): void {
    while (this.#dropped.size > 0) {
      const dropped = new Map(this.#dropped);
      this.#dropped.clear();
      for (const scope of allScopes(buildScopes(this.proto))) {
        const names = dropped.get(scope.proto);
        if (names === undefined) continue;
        dropped.delete(scope.proto);
        for (const name of names) this.#removeIfUnused(scope, name);
      }
    }
  }

  #removeIfUnused(scope: Scope, name: string): void {
    if (usesOf({ scope, name }).length > 0 || scope.outputs.has(name)) return;
    const { proto } = scope;
    const producer = scope.producers.get(name);
    if (producer !== undefined) {
      const isIdle = producer.output.every(
        (each) => each === "" || (usesOf({ scope, name: each }).length === 0 && !scope.outputs.has(each)),
      );
      if (isIdle && proto.node.includes(producer)) this.removeNodes(scope, [producer]);
    } else if (scope.initializers.has(name) && proto.$typeName === "batchnorm.onnx.GraphProto") {
      proto.initializer = proto.initializer.filter((each) => each.name !== name);
      if (scope.irVersion < 4) proto.input = proto.input.filter((each) => each.name !== name);
    }
    proto.valueInfo = proto.valueInfo.filter((each) => each.name !== name || scope.given.has(name));
  }
}

/** A node with an attribute in place of what it had under that name; undefined takes the attribute away. */
export function setFloatAttribute(node: NodeProto, name: string, value: number): void {
  const at = node.attribute.findIndex((each) => each.name === name);
  const old = node.attribute[at];
  const attribute = old === undefined ? create(AttributeProtoSchema, { name, type: AttributeType.float, f: value }) : shallow(old);
  attribute.f = value;
  if (old === undefined) node.attribute.push(attribute);
  else node.attribute[at] = attribute;
}

export function setIntAttribute(node: NodeProto, name: string, value: number): void {
  const at = node.attribute.findIndex((each) => each.name === name);
  const old = node.attribute[at];
  const attribute = old === undefined ? create(AttributeProtoSchema, { name, type: AttributeType.int }) : shallow(old);
  attribute.i = BigInt(value);
  if (old === undefined) node.attribute.push(attribute);
  else node.attribute[at] = attribute;
}

export function removeAttribute(node: NodeProto, name: string): void {
  node.attribute = node.attribute.filter((each) => each.name !== name);
}

function valueAttribute(tensor: TensorProto): NodeProto["attribute"][number] {
  return create(AttributeProtoSchema, { name: "value", type: AttributeType.tensor, t: tensor });
}

function inputOf(tensor: TensorProto): GraphProto["input"][number] {
  const dim = dimsOf(tensor).map((dimension) => ({ value: { case: "dimValue" as const, value: BigInt(dimension) } }));
  return create(ValueInfoProtoSchema, {
    name: tensor.name,
    type: { value: { case: "tensorType", value: { elemType: tensor.dataType, shape: { dim } } } },
  });
}
