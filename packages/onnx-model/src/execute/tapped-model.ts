import { create } from "@bufbuild/protobuf";
import { shallow } from "../edit/copy.ts";
import { complete } from "../file/complete.ts";
import { type OnnxModel, writeModel } from "../file/model.ts";
import type { Scope } from "../graph/scope.ts";
import {
  AttributeProtoSchema,
  AttributeType,
  ElementType,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../proto/index.ts";
import { nodesFor } from "./dependencies.ts";
import { inlineData } from "./inline-data.ts";
import { refusedNode } from "./refused-output.ts";

export interface TappedModelOptions {
  /** Whether the other outputs stay, too, and every node. */
  readonly whole: boolean;
  /** The name of an output before all others, which the runtime refuses; null for none. */
  readonly refused: string | null;
}

/**
 * The bytes of a model whose outputs are some of its values. With `whole` the others stay, too, and so does every node;
 * without, only what the values need is computed.
 *
 * A float16 input is fed as float32 under the name that `halfInputs` says, and cast in the model: onnxruntime-node 1.30 does
 * not take the Float16Array that its own tensors hold from Node 24 on.
 */
export async function tappedModel(
  model: OnnxModel,
  root: Scope,
  values: ReadonlySet<string>,
  { whole, refused }: TappedModelOptions,
): Promise<{ readonly bytes: Uint8Array; readonly halfInputs: ReadonlyMap<string, string> }> {
  const proto = shallow(model.proto);
  const graph = shallow(model.proto.graph!);
  proto.graph = graph;
  const known = new Map([...graph.output, ...graph.valueInfo].map((info) => [info.name, info]));
  const before = whole ? graph.output : [];
  const added = [...values].filter((name) => !before.some((output) => output.name === name));
  // A name alone: the runtime infers the type, and one that the file gets wrong does no harm.
  graph.output = [...before, ...added.map((name) => known.get(name) ?? create(ValueInfoProtoSchema, { name }))];
  if (!whole) graph.node = [...nodesFor(root, values)];
  const halfInputs = new Map<string, string>();
  const casts: NodeProto[] = [];
  graph.input = graph.input.map((info) => {
    if (!isHalf(info) || root.initializers.has(info.name)) return info;
    let name = `${info.name}_float32`;
    while (root.producers.has(name) || root.given.has(name)) name += "_";
    halfInputs.set(info.name, name);
    const attribute = [create(AttributeProtoSchema, { name: "to", type: AttributeType.int, i: BigInt(ElementType.float16) })];
    casts.push(create(NodeProtoSchema, { opType: "Cast", input: [name], output: [info.name], attribute }));
    return asFloat32(info, name);
  });
  graph.node = [...casts, ...graph.node];
  if (refused !== null) {
    graph.node = [refusedNode(refused), ...graph.node];
    graph.output = [create(ValueInfoProtoSchema, { name: refused }), ...graph.output];
  }
  const inlined = await complete(model, () => inlineData(proto, model.external));
  return { bytes: writeModel({ ...model, proto: inlined }), halfInputs };
}

function isHalf({ type }: ValueInfoProto): boolean {
  return type?.value.case === "tensorType" && type.value.value.elemType === ElementType.float16;
}

function asFloat32(info: ValueInfoProto, name: string): ValueInfoProto {
  const { value } = info.type!.value as { value: object };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { ...value, elemType: ElementType.float32 } } },
  });
}
