import { type BatchNormConfig, resolveConfig, resolveState } from "@batchnorm/spec";
import { isObject, type JsonObject } from "../container/json.ts";
import { invalidFile } from "../errors.ts";
import { type ConfigFromFile, cannotConvert, makeLayer, type WeightLayer } from "../layer.ts";
import { readVector, type StoredTensor, typeNames } from "../tensor.ts";

interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Nodes and their outputs, such as `bn/Split:1`; what begins with `^` only orders. */
  readonly inputs: readonly string[];
  readonly attributes: JsonObject;
}

/** x is the first input; then these. */
const INPUTS = ["gamma", "beta", "moving mean", "moving variance"] as const;

const NORM_OP = /^FusedBatchNorm(V2|V3)?$/;

/** Names that the layer's nodes keep when the converter has folded the four arrays into two. */
const FOLDED = /^(.*)\/(FusedBatchNorm(?:V2|V3)?|batchnorm\/(?:mul|sub|add)(?:_\d+)?)$/;

/**
 * The layers of a graph model. A `FusedBatchNorm` with constant inputs has all four arrays. tfjs's converter since 1.0 folds them, into a
 * convolution or into a factor and a summand, and only names tell that a layer was there.
 *
 * Source: TensorFlow's `FusedBatchNormV3`, and tensorflowjs 4.22, `fold_batch_norms.py`.
 */
export function layersOfGraph(graph: JsonObject, tensors: ReadonlyMap<string, StoredTensor>): WeightLayer[] {
  const nodes = readNodes(graph);
  const layers = new Map<string, WeightLayer>();
  for (const node of nodes.values()) if (NORM_OP.test(node.op)) layers.set(layerPath(node.name), layerOf(node, nodes, tensors));
  for (const { name } of nodes.values()) {
    const path = FOLDED.exec(name)?.[1];
    if (path !== undefined && !layers.has(path)) layers.set(path, foldedLayer(path));
  }
  return [...layers.values()];
}

function readNodes(graph: JsonObject): Map<string, GraphNode> {
  if (!Array.isArray(graph.node)) throw invalidFile("The graph model has no nodes", graph, "modelTopology with a list of nodes");
  const nodes = new Map<string, GraphNode>();
  for (const node of graph.node as unknown[]) {
    if (!isObject(node) || typeof node.name !== "string" || typeof node.op !== "string") {
      throw invalidFile("A node of the graph is not described", node, "an object with name and op");
    }
    const inputs: unknown[] = Array.isArray(node.input) ? node.input : [];
    const strings = inputs.filter((each) => typeof each === "string").filter((each) => !each.startsWith("^"));
    nodes.set(node.name, { name: node.name, op: node.op, inputs: strings, attributes: isObject(node.attr) ? node.attr : {} });
  }
  return nodes;
}

function layerOf(node: GraphNode, nodes: ReadonlyMap<string, GraphNode>, tensors: ReadonlyMap<string, StoredTensor>): WeightLayer {
  const path = layerPath(node.name);
  const constants = INPUTS.map((_, index) => findConstant(node.inputs[index + 1], nodes, tensors));
  const known = constants.filter((tensor) => tensor !== null);
  return makeLayer(
    { name: path.slice(path.lastIndexOf("/") + 1), path, framework: "tfjs", recognizedBy: "config", storedAs: typeNames(known) },
    () => configOf(node),
    (config) => {
      const [gamma, beta, movingMean, movingVariance] = constants.map((tensor, index) => {
        if (tensor === null)
          throw cannotConvert(`The ${INPUTS[index]} of the node is computed`, node.inputs[index + 1], "a weight of the file");
        return readVector(tensor);
      });
      return resolveState(config, { parameters: { gamma, beta }, statistics: { movingMean, movingVariance } });
    },
  );
}

/** The op always has gamma and beta; a layer without one of them gave it ones or zeros. */
function configOf(node: GraphNode): ConfigFromFile {
  const epsilon = numberOf(node.attributes.epsilon);
  const format = textOf(node.attributes.data_format) ?? "NHWC";
  const axis = format.startsWith("NC") ? 1 : -1;
  const config: BatchNormConfig = resolveConfig({ axis, epsilon: epsilon ?? 1e-4 });
  return { config, assumed: [...(epsilon === null ? (["epsilon"] as const) : []), "momentum", "center", "scale", "trainable"] };
}

/** The op's attributes as JSON has them: `{ "f": 0.001 }`. */
function numberOf(attribute: unknown): number | null {
  return isObject(attribute) && typeof attribute.f === "number" ? attribute.f : null;
}

/** `{ "s": "TkhXQw==" }`, in base64. */
function textOf(attribute: unknown): string | null {
  if (!isObject(attribute) || typeof attribute.s !== "string") return null;
  try {
    return atob(attribute.s);
  } catch {
    return null;
  }
}

/** Through Identity nodes to the weight that an input is; null where it is computed. */
function findConstant(
  input: string | undefined,
  nodes: ReadonlyMap<string, GraphNode>,
  tensors: ReadonlyMap<string, StoredTensor>,
): StoredTensor | null {
  let name = input?.replace(/:0$/, "");
  // As many steps as there are nodes, so that a circle ends.
  for (let step = 0; step <= nodes.size && name !== undefined; step++) {
    const tensor = tensors.get(name);
    if (tensor !== undefined) return tensor;
    const node = nodes.get(name);
    if (node?.op !== "Identity") return null;
    name = node.inputs[0]?.replace(/:0$/, "");
  }
  return null;
}

function layerPath(nodeName: string): string {
  const slash = nodeName.lastIndexOf("/");
  return slash < 0 ? nodeName : nodeName.slice(0, slash);
}

function foldedLayer(path: string): WeightLayer {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const reason = cannotConvert("The converter has folded the layer", path, "the model from before the conversion, or a layers model");
  return { name, path, framework: "tfjs", recognizedBy: "name", storedAs: "", config: null, assumed: [], state: null, reason };
}
