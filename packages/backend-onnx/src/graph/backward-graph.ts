import { Graph, type Value } from "./graph.ts";
import { atLeastOne, elements, inverseDeviation, outputElements, packed } from "./inputs.ts";
import type { Layout } from "./layout.ts";
import { finite } from "./moments.ts";

/** What the gradient flows through, and so what a backward graph is given. */
export type Through = "moving" | "batch" | "visible";

/**
 * The gradients, clauses 10.1 to 10.5. With r = 1 / sqrt(variance + epsilon), xHat = (x - mean) r and sums over a
 * channel,
 *
 *     dbeta = sum(dy)        dgamma = sum(dy xHat)
 *     dx = gamma r dy                                        through the moving statistics
 *     dx = gamma r (dy - (dbeta + xHat dgamma) / count)      through the batch's, at elements that entered them
 *
 * The graph takes dy, x, parameters and scalars, and gives dx, dgamma and dbeta; besides,
 *
 *     'moving'   takes statistics
 *     'batch'    takes normalizer
 *     'visible'  takes normalizer, mask and visible, the number of elements that the mask shows
 */
export function backwardGraph(layout: Layout, through: Through): Graph {
  const graph = new Graph(`backward-${through}`);
  const dy = elements(graph, layout, "dy");
  const x = elements(graph, layout, "x");
  const gamma = packed(graph, "parameters")("gamma");
  const scalars = packed(graph, "scalars");
  layout.declare(graph);
  const { mean, r, remainder } = normalizer(graph, through, scalars("epsilon"));

  const deviation = layout.less(graph, x, mean);
  const dbeta = layout.sum(graph, dy);
  const projection = layout.sum(graph, graph.mul(dy, deviation));
  // What float32 lost of the mean is known: it adds up where dy has one sign, and counts where deviations are small.
  const dgamma = graph.mul(remainder === null ? projection : graph.sub(projection, graph.mul(remainder, dbeta)), r);
  const slope = graph.mul(gamma, r);
  graph.output("dgamma", dgamma, "float32", ["channels"]);
  graph.output("dbeta", dbeta, "float32", ["channels"]);
  if (through === "moving") {
    outputElements(graph, layout, "dx", layout.times(graph, dy, slope));
    return graph;
  }
  const count = through === "batch" ? scalars("count") : atLeastOne(graph, graph.input("visible", "float32", [1]));
  const pull = graph.div(graph.mul(r, dgamma), count);
  const constant = graph.div(dbeta, count);
  const shift = remainder === null ? constant : graph.sub(constant, graph.mul(remainder, finite(graph, pull)));
  const entered =
    through === "batch" ? layout.affine(graph, deviation, pull, shift) : enteredUnderMask(graph, layout, deviation, pull, shift);
  outputElements(graph, layout, "dx", layout.times(graph, graph.sub(dy, entered), slope));
  return graph;
}

/**
 * What the batch takes out of dy at the visible elements, 0 at the others: a hidden one may be infinite, and so
 * dgamma.
 */
function enteredUnderMask(graph: Graph, layout: Layout, deviation: Value, pull: Value, shift: Value): Value {
  const zero = graph.float32(0);
  const carried = layout.less(graph, layout.timesUnbounded(graph, deviation, pull), graph.sub(zero, shift));
  return layout.visible(graph, graph.input("mask", "bool", layout.maskShape), carried, zero);
}

/** The mean and the inverse deviation that normalized, and what the mean lacks. */
function normalizer(graph: Graph, through: Through, epsilon: Value): { mean: Value; r: Value; remainder: Value | null } {
  if (through === "moving") {
    const statistics = packed(graph, "statistics");
    return { mean: statistics("mean"), r: inverseDeviation(graph, statistics("variance"), epsilon), remainder: null };
  }
  const saved = packed(graph, "normalizer");
  return { mean: saved("mean"), r: saved("inverse"), remainder: saved("remainder") };
}

/** The gradient of x alone, for a frozen layer: dy, parameters, statistics, scalars -> dx. */
export function frozenBackwardGraph(layout: Layout): Graph {
  const graph = new Graph("backward-frozen");
  const dy = elements(graph, layout, "dy");
  const gamma = packed(graph, "parameters")("gamma");
  const variance = packed(graph, "statistics")("variance");
  const epsilon = packed(graph, "scalars")("epsilon");
  layout.declare(graph);
  const slope = graph.mul(gamma, inverseDeviation(graph, variance, epsilon));
  outputElements(graph, layout, "dx", layout.times(graph, dy, slope));
  return graph;
}
