import { create } from "@bufbuild/protobuf";
import { shallow } from "../edit/copy.ts";
import { complete } from "../file/complete.ts";
import { type OnnxModel, writeModel } from "../file/model.ts";
import type { Scope } from "../graph/scope.ts";
import { ValueInfoProtoSchema } from "../proto/index.ts";
import { nodesFor } from "./dependencies.ts";
import { inlineData } from "./inline-data.ts";

/**
 * The bytes of a model whose outputs are some of its values. With `whole` the others stay, too, and so does every node; without, only what the
 * values need is computed.
 */
export async function tappedModel(model: OnnxModel, root: Scope, values: ReadonlySet<string>, whole: boolean): Promise<Uint8Array> {
  const proto = shallow(model.proto);
  const graph = shallow(model.proto.graph!);
  proto.graph = graph;
  const known = new Map([...graph.output, ...graph.valueInfo].map((info) => [info.name, info]));
  const before = whole ? graph.output : [];
  const added = [...values].filter((name) => !before.some((output) => output.name === name));
  // A name alone: the runtime infers the type, and one that the file gets wrong does no harm.
  graph.output = [...before, ...added.map((name) => known.get(name) ?? create(ValueInfoProtoSchema, { name }))];
  if (!whole) graph.node = [...nodesFor(root, values)];
  const inlined = await complete(model, () => inlineData(proto, model.external));
  return writeModel({ ...model, proto: inlined });
}
