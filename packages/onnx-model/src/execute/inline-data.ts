import { shallow } from "../edit/copy.ts";
import type { ExternalData } from "../file/external.ts";
import { EXTERNAL, type GraphProto, type ModelProto, type TensorProto } from "../proto/index.ts";

/**
 * The model with all of its data inside: a runtime that is given bytes does not find the files beside them. Data that is not loaded yet is noted as
 * wanted. The model that is given is not changed.
 */
export function inlineData(proto: ModelProto, external: ExternalData): ModelProto {
  if (proto.graph === undefined) return proto;
  const copy = shallow(proto);
  copy.graph = inlineGraph(proto.graph, external);
  return copy;
}

function inlineGraph(graph: GraphProto, external: ExternalData): GraphProto {
  const copy = shallow(graph);
  copy.initializer = graph.initializer.map((tensor) => inlineTensor(tensor, external));
  copy.node = graph.node.map((node) => {
    if (node.attribute.every(({ t, g, graphs }) => t?.dataLocation !== EXTERNAL && g === undefined && graphs.length === 0)) return node;
    const changed = shallow(node);
    changed.attribute = node.attribute.map((attribute) => {
      const inlined = shallow(attribute);
      if (attribute.t !== undefined) inlined.t = inlineTensor(attribute.t, external);
      if (attribute.g !== undefined) inlined.g = inlineGraph(attribute.g, external);
      inlined.graphs = attribute.graphs.map((each) => inlineGraph(each, external));
      return inlined;
    });
    return changed;
  });
  return copy;
}

function inlineTensor(tensor: TensorProto, external: ExternalData): TensorProto {
  if (tensor.dataLocation !== EXTERNAL) return tensor;
  const bytes = external.bytes(tensor);
  if (bytes === null) return tensor;
  const copy = shallow(tensor);
  copy.rawData = bytes;
  copy.dataLocation = 0;
  copy.externalData = [];
  return copy;
}
