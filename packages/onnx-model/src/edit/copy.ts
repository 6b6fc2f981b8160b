import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from "../proto/index.ts";

/**
 * A copy of a model for editing: graphs, nodes and attributes are new objects with lists of their own. Tensors and
 * types are shared; an edit replaces them and never writes into one. So a copy of a gigabyte costs what its graph
 * costs.
 */
export function copyModel(proto: ModelProto): ModelProto {
  const copy = shallow(proto);
  if (proto.graph !== undefined) copy.graph = copyGraph(proto.graph);
  copy.functions = proto.functions.map(copyFunction);
  return copy;
}

function copyGraph(graph: GraphProto): GraphProto {
  const copy = shallow(graph);
  copy.node = graph.node.map(copyNode);
  for (const field of ["initializer", "input", "output", "valueInfo"] as const) copy[field] = [...graph[field]] as never;
  return copy;
}

function copyFunction(body: FunctionProto): FunctionProto {
  const copy = shallow(body);
  copy.node = body.node.map(copyNode);
  for (const field of ["input", "output", "valueInfo"] as const) copy[field] = [...body[field]] as never;
  return copy;
}

function copyNode(node: NodeProto): NodeProto {
  const copy = shallow(node);
  copy.input = [...node.input];
  copy.output = [...node.output];
  copy.attribute = node.attribute.map(copyAttribute);
  return copy;
}

function copyAttribute(attribute: AttributeProto): AttributeProto {
  const copy = shallow(attribute);
  if (attribute.g !== undefined) copy.g = copyGraph(attribute.g);
  copy.graphs = attribute.graphs.map(copyGraph);
  return copy;
}

/** The same fields, unknown ones included, on the same prototype: it holds the defaults of fields that are not set. */
export function shallow<Message extends object>(message: Message): Message {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message);
}
