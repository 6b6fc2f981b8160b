import type { VarianceEstimator } from "@batchnorm/spec";
import { Graph, type Value } from "./graph.ts";
import { atLeastOne, elements, inverseDeviation, outputPacked, packed } from "./inputs.ts";
import type { Layout } from "./layout.ts";
import { moments, shiftByFirst, visibleMoments } from "./moments.ts";

/** Where the batch's statistics come from. */
export type TrainingLowering = "operator" | "composed" | "masked";

/** What a lowering finds: the output, and what the batch is to the statistics, `[channels]` each. */
interface Step {
  readonly y: Value;
  readonly mean: Value;
  /** The population variance. */
  readonly variance: Value;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: Value;
  /** Under a mask, the number of elements that it shows, and whether there is one. */
  readonly visible?: { readonly count: Value; readonly any: Value };
}

/**
 * A training step: x, parameters, statistics, scalars [, mask] -> y, statistics_out, normalizer_out [, visible_out].
 *
 * `normalizer_out` is what `backward` needs: the mean and 1 / sqrt(variance + epsilon) that normalized.
 *
 * 'operator' is BatchNormalization in training mode on x - shift: its kernel takes the variance from differences to its mean, but the
 * mean from a plain sum. It knows no mask, is slow on channels last, and throws on webgpu ("trainingMode is not supported
 * yet", onnxruntime-web 1.30); there, 'composed' spells the formulas out, and 'masked' does so under a mask.
 */
export function trainingGraph(
  layout: Layout,
  lowering: TrainingLowering,
  estimator: VarianceEstimator,
  attribute: { epsilon: number },
): Graph {
  const graph = new Graph(`training-${lowering}`);
  const x = elements(graph, layout, "x");
  const parameters = packed(graph, "parameters");
  const statistics = packed(graph, "statistics");
  const scalars = packed(graph, "scalars");
  layout.declare(graph);
  const [gamma, beta] = [parameters("gamma"), parameters("beta")];
  const moving = { mean: statistics("mean"), variance: statistics("variance") };
  const [epsilon, momentum, rest] = [scalars("epsilon"), scalars("momentum"), scalars("rest")];

  const normalize = (deviation: Value, inverse: Value): Value => {
    const slope = layout.spread(graph, graph.mul(gamma, inverse));
    return graph.add(graph.mul(deviation, slope), layout.spread(graph, beta));
  };

  const lowerings: Record<TrainingLowering, () => Step> = {
    composed: () => {
      const { deviation, mean, variance } = moments(graph, layout, x);
      const inverse = inverseDeviation(graph, variance, epsilon);
      return { y: normalize(deviation, inverse), mean, variance, inverse };
    },
    masked: () => {
      const mask = graph.input("mask", "bool", layout.maskShape);
      const { deviation, mean, variance, ...visible } = visibleMoments(graph, layout, x, mask, moving);
      const inverse = inverseDeviation(graph, variance, epsilon);
      return { y: normalize(deviation, inverse), mean, variance, inverse, visible };
    },
    operator: () => {
      const { shift, shifted } = shiftByFirst(graph, layout, x);
      // With momentum 0 the running outputs are the batch's own statistics, as long as the old ones are finite: 0 * NaN is NaN. The
      // kernel writes each running output over its input, even over one that has other uses (onnxruntime 1.30), so each
      // input has to be a value of its own, made in a way of its own, or the optimizer would merge the two.
      const [zeroMean, zeroVariance] = [graph.sub(shift, shift), graph.mul(shift, graph.float32(0))];
      const attributes = { epsilon: { float: attribute.epsilon }, momentum: { float: 0 }, training_mode: 1 };
      const [y, offset, variance] = graph.ops("BatchNormalization", [shifted, gamma, beta, zeroMean, zeroVariance], attributes, 3);
      return { y, mean: graph.add(shift, offset), variance, inverse: inverseDeviation(graph, variance, epsilon) };
    },
  };
  const { y, mean, variance, inverse, visible } = lowerings[lowering]();

  /** The variance that enters the moving one (clauses 7.3 and 7.4). */
  const entering = (): Value => {
    if (estimator === "population") return variance;
    const n = visible?.count ?? scalars("count");
    return graph.div(graph.mul(variance, n), atLeastOne(graph, graph.sub(n, graph.float32(1))));
  };
  /** old * momentum + batch * (1 - momentum) (clause 7.1), and the old one where the mask hides the batch (clause 9.4). */
  const average = (old: Value, batch: Value): Value => {
    const moved = graph.add(graph.mul(old, momentum), graph.mul(batch, rest));
    return visible === undefined ? moved : graph.where(visible.any, moved, old);
  };

  graph.output("y", y, "float32", layout.shape);
  outputPacked(graph, "statistics", [average(moving.mean, mean), average(moving.variance, entering())]);
  outputPacked(graph, "normalizer", [mean, inverse]);
  if (visible) graph.output("visible_out", graph.op("Unsqueeze", [visible.count, graph.int64([0])]), "float32", [1]);
  return graph;
}
