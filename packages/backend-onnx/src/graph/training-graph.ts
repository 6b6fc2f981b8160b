import type { VarianceEstimator } from "@batchnorm/spec";
import { Graph, type Value } from "./graph.ts";
import { atLeastOne, elements, outputElements, outputPacked, packed } from "./inputs.ts";
import type { Layout } from "./layout.ts";
import { type Moments, moments, type Range, visibleMoments } from "./moments.ts";

/** What a training graph is built for. */
export interface TrainingOptions {
  readonly masked: boolean;
  readonly estimator: VarianceEstimator;
  readonly range: Range;
}

/**
 * A training step: x, parameters, statistics, scalars [, mask] -> y, statistics_out, normalizer_out [, visible_out].
 *
 * `normalizer_out` is what `backward` needs of the statistics that normalized: see `PARTS`.
 *
 * The formulas are spelled out. BatchNormalization in training mode takes its mean from a plain float32 sum, knows no
 * mask, and throws on webgpu ("trainingMode is not supported yet", onnxruntime-web 1.30).
 */
export function trainingGraph(layout: Layout, { masked, estimator, range }: TrainingOptions): Graph {
  const graph = new Graph(masked ? "training-masked" : "training");
  const x = elements(graph, layout, "x");
  const parameters = packed(graph, "parameters");
  const statistics = packed(graph, "statistics");
  const scalars = packed(graph, "scalars");
  layout.declare(graph);
  const [gamma, beta] = [parameters("gamma"), parameters("beta")];
  const moving = { mean: statistics("mean"), variance: statistics("variance") };
  const [epsilon, momentum, rest] = [scalars("epsilon"), scalars("momentum"), scalars("rest")];
  const visible = masked ? visibleMoments(graph, layout, x, graph.input("mask", "bool", layout.maskShape), moving, epsilon, range) : null;
  const batch: Moments = visible ?? moments(graph, layout, x, scalars("count"), epsilon, range);

  /** What of the variance enters the moving one (clauses 7.3 and 7.4), times 1 - momentum. */
  const weigh = (variance: Value): Value => {
    const weighed = graph.mul(variance, rest);
    if (estimator === "population") return weighed;
    const n = visible?.count ?? scalars("count");
    return graph.mul(weighed, graph.div(n, atLeastOne(graph, graph.sub(n, graph.float32(1)))));
  };
  /**
   * old * momentum + batch * (1 - momentum) (clause 7.1), and the old one where the mask hides the batch (clause
   * 9.4).
   */
  const move = (old: Value, weighed: Value): Value => {
    const moved = graph.add(graph.mul(old, momentum), weighed);
    return visible === null ? moved : graph.where(visible.any, moved, old);
  };

  const y = normalize(graph, layout, batch, gamma, beta);
  outputElements(graph, layout, "y", y);
  const movedMean = move(moving.mean, graph.mul(batch.mean, rest));
  outputPacked(graph, "statistics", [movedMean, move(moving.variance, batch.weighVariance(weigh))]);
  outputPacked(graph, "normalizer", [batch.mean, batch.inverse, batch.remainder]);
  if (visible) graph.output("visible_out", graph.op("Unsqueeze", [visible.count, graph.int64([0])]), "float32", [1]);
  return graph;
}

/** gamma * (x - mean) * inverse + beta, from the deviations that are there already. */
function normalize(graph: Graph, layout: Layout, { deviation, offset, inverse }: Moments, gamma: Value, beta: Value): Value {
  const slope = graph.mul(gamma, inverse);
  return layout.affine(graph, deviation, slope, graph.sub(beta, graph.mul(offset, slope)));
}
