import { ElementType, type GraphProto, ModelProtoSchema, type NodeProto, type TensorProto } from "@batchnorm/onnx-model/proto";
import {
  type BatchNormConfig,
  BatchNormError,
  type BatchNormState,
  fromOnnxAttributes,
  type OnnxAttributes,
  type OnnxInputs,
} from "@batchnorm/spec";
import { fromBinary } from "@bufbuild/protobuf";

/** What a model says of its layer. */
export interface OnnxLayerFile {
  readonly config: BatchNormConfig;
  readonly state: BatchNormState;
  /** Whether the node has training_mode 1: to be given to `call`. */
  readonly training: boolean;
}

/** The first opset whose BatchNormalization has the attributes and inputs of today. */
const OLDEST_OPSET = 9;

/**
 * Reads the layer of an ONNX model with one BatchNormalization, such as `toOnnx` writes: the parameters and statistics bit for bit,
 * epsilon and momentum as the float32 numbers that the file has. The axis is 1, or that of the reshape around the node.
 *
 * A file does not say whether gamma and beta are learned, whether the layer is frozen, or what it does with infinities: center, scale
 * and trainable are true, nonFinite is 'propagate'.
 *
 * @throws BatchNormError `cannot-convert` for bytes that are no model, a model of an opset before 9, with no or with several
 * BatchNormalization nodes, or whose parameters or statistics are not float32 initializers inside of the file; and what
 * `fromOnnxAttributes` throws.
 */
export function fromOnnx(bytes: Uint8Array): OnnxLayerFile {
  const { graph, opset } = parse(bytes);
  const nodes = graph.node.filter(({ opType, domain }) => opType === "BatchNormalization" && domain === "");
  if (nodes.length !== 1) throw cannotConvert("The model is not that of one layer", nodes.length, "exactly one BatchNormalization node");
  if (opset < OLDEST_OPSET) throw cannotConvert("The model is too old", opset, `opset ${OLDEST_OPSET} or later`);
  const [node] = nodes;
  const [x, ...names] = node.input;
  const [scale, B, mean, variance] = names.map((name) => initializer(graph, name));
  const inputs: OnnxInputs = { scale, B, input_mean: mean, input_var: variance };
  const { config, state, training } = fromOnnxAttributes(attributesOf(node), inputs);
  return { config: { ...config, axis: axisOf(graph, x) }, state, training };
}

function parse(bytes: Uint8Array): { graph: GraphProto; opset: number } {
  const wanted = "the bytes of an ONNX model";
  try {
    const { graph, opsetImport } = fromBinary(ModelProtoSchema, bytes);
    const opset = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version;
    if (graph !== undefined && opset !== undefined) return { graph, opset: Number(opset) };
  } catch (cause) {
    throw new BatchNormError("cannot-convert", "The model could not be read", bytes, wanted, cause);
  }
  throw cannotConvert("The model has no graph or no opset", bytes, wanted);
}

function attributesOf({ attribute }: NodeProto): OnnxAttributes {
  return Object.fromEntries(attribute.map(({ name, type, f, i }) => [name, type === 1 ? f : i]));
}

function initializer({ initializer: all }: GraphProto, name: string): Float32Array {
  const found = all.find((each) => each.name === name);
  const wanted = "a float32 initializer in the model itself";
  if (found === undefined) throw cannotConvert("A parameter or statistic is no constant of the model", name, wanted);
  if (found.dataType !== ElementType.float32 || found.dataLocation !== 0)
    throw cannotConvert(`${name} cannot be read`, found.dataType, wanted);
  return values(found);
}

/** A copy of the numbers of a tensor: of the bytes where they are bytes, so that a NaN keeps its bits. */
function values({ rawData, floatData }: TensorProto): Float32Array {
  return rawData.length > 0 ? new Float32Array(rawData.slice().buffer) : Float32Array.from(floatData);
}

/** The axis that `toOnnx` flattened around, or 1, the operator's own. */
function axisOf({ node }: GraphProto, x: string): number {
  const producer = (name: string | undefined, opType: string): NodeProto | undefined =>
    node.find((each) => each.opType === opType && name !== undefined && each.output.includes(name));
  const flatten = producer(producer(x, "Reshape")?.input[0], "Flatten");
  return flatten === undefined ? 1 : Number(flatten.attribute.find(({ name }) => name === "axis")?.i ?? 1);
}

function cannotConvert(what: string, received: unknown, expected: string): BatchNormError {
  return new BatchNormError("cannot-convert", what, received, expected);
}
