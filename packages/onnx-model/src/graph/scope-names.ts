import { invalidFile, quoted } from "../errors.ts";
import type { FunctionProto, GraphProto, NodeProto, TensorProto, TypeProto } from "../proto/index.ts";
import type { Scope } from "./scope.ts";

/** What a graph or function says of its own names. */
export type Names = Pick<Scope, "nodes" | "inputs" | "given" | "outputs" | "initializers" | "producers" | "types" | "defaults">;

/**
 * The names that a graph or function defines, and by what.
 *
 * @throws BatchNormError `invalid-file` for a name that is defined twice.
 */
export function namesOf(proto: GraphProto | FunctionProto): Names {
  const isGraph = proto.$typeName === "batchnorm.onnx.GraphProto";
  const inputs = isGraph ? proto.input.map(({ name }) => name) : proto.input;
  const outputs = isGraph ? proto.output.map(({ name }) => name) : proto.output;
  const initializers = new Map<string, TensorProto>();
  if (isGraph) {
    for (const tensor of proto.initializer) initializers.set(tensor.name, tensor);
    for (const { values } of proto.sparseInitializer) if (values !== undefined) initializers.set(values.name, values);
  }
  const producers = new Map<string, NodeProto>();
  const given = new Set(inputs);
  if (given.size < inputs.length) throw invalidFile("Two inputs have one name", inputs, "each name once");
  for (const node of proto.node) {
    for (const name of node.output) {
      if (name === "") continue;
      if (producers.has(name) || given.has(name) || initializers.has(name)) {
        throw invalidFile(`The value ${quoted(name)} is defined twice`, name, "each name once");
      }
      producers.set(name, node);
    }
  }
  const types = new Map<string, TypeProto>();
  const infos = isGraph ? [...proto.valueInfo, ...proto.output, ...proto.input] : proto.valueInfo;
  for (const { name, type } of infos) if (type !== undefined) types.set(name, type);
  const defaults = new Map(isGraph ? [] : proto.attributeProto.map((each) => [each.name, each]));
  return { nodes: proto.node, inputs, given, outputs: new Set(outputs), initializers, producers, types, defaults };
}
