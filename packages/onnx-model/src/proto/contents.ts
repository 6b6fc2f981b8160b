import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from "./onnx_pb.ts";

// What is in a model, wherever it is: in the graph, in branches, in the bodies of functions.

export function* nodesOf({ graph, functions }: ModelProto): Generator<NodeProto> {
  if (graph !== undefined) yield* nodesBelow(graph.node);
  for (const { node } of functions) yield* nodesBelow(node);
}

function* nodesBelow(nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node;
    for (const attribute of node.attribute) for (const branch of branchesOf(attribute)) yield* nodesBelow(branch.node);
  }
}

/** The numbers of a model: initializers, and tensors of attributes. */
export function* tensorsOf(model: ModelProto): Generator<TensorProto> {
  const { graph, functions } = model;
  if (graph !== undefined) yield* initializersOf(graph);
  for (const { attributeProto } of functions) for (const { t } of attributeProto) yield* present([t]);
  for (const { attribute } of nodesOf(model)) {
    for (const each of attribute) {
      yield* present([each.t, each.sparseTensor?.values, each.sparseTensor?.indices, ...each.tensors]);
      for (const branch of branchesOf(each)) yield* initializersOf(branch);
    }
  }
}

function* initializersOf({ initializer, sparseInitializer }: GraphProto): Generator<TensorProto> {
  yield* initializer;
  for (const { values, indices } of sparseInitializer) yield* present([values, indices]);
}

function branchesOf({ g, graphs }: AttributeProto): GraphProto[] {
  return present([g, ...graphs]);
}

function present<Message>(messages: readonly (Message | undefined)[]): Message[] {
  return messages.filter((each) => each !== undefined);
}
