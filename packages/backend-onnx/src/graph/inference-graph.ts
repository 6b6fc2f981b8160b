import { Graph } from "./graph.ts";
import { elements, inverseDeviation, outputElements, packed } from "./inputs.ts";
import type { Layout } from "./layout.ts";

/** How a graph normalizes with given statistics. */
export type Lowering = "operator" | "multiply-add";

/**
 * Inference: x, parameters, statistics -> y.
 *
 * 'operator' is one BatchNormalization; 'multiply-add' is what that operator computes, x * scale + shift with
 *
 *     scale = gamma / sqrt(variance + epsilon)        shift = beta - mean * scale
 *
 * in elementwise operators. docs/decisions/2026-11-22-onnx-lowering.md has the measurement that chooses between them.
 */
export function inferenceGraph(layout: Layout, lowering: Lowering, epsilon: number): Graph {
  const graph = new Graph(`inference-${lowering}`);
  const x = elements(graph, layout, "x");
  const parameters = packed(graph, "parameters");
  const statistics = packed(graph, "statistics");
  layout.declare(graph);
  const [gamma, beta, mean, variance] = [parameters("gamma"), parameters("beta"), statistics("mean"), statistics("variance")];
  if (lowering === "operator") {
    const y = graph.op("BatchNormalization", [x, gamma, beta, mean, variance], { epsilon: { float: epsilon } });
    outputElements(graph, layout, "y", y);
    return graph;
  }
  const scale = graph.mul(gamma, inverseDeviation(graph, variance, graph.float32(epsilon)));
  const shift = graph.sub(beta, graph.mul(mean, scale));
  outputElements(graph, layout, "y", layout.affine(graph, x, scale, shift));
  return graph;
}
