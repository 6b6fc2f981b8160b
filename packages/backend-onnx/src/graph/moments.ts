import { ElementType } from "@batchnorm/onnx-model/proto";
import type { Graph, Value } from "./graph.ts";
import { atLeastOne, inverseDeviation } from "./inputs.ts";
import type { Layout } from "./layout.ts";

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** The statistics of a batch, `[channels]`, and what they were taken from. */
export interface Moments {
  /** x - mean + offset, in x's layout: the differences from a centre that is close to the mean. */
  readonly deviation: Value;
  /** How far the mean lies from that centre. */
  readonly offset: Value;
  readonly mean: Value;
  /** What float32 lost of the mean. */
  readonly remainder: Value;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: Value;
  /**
   * The population variance times the weight, which may be small enough for the product to fit float32 where the
   * variance does not.
   */
  weighVariance(weight: (variance: Value) => Value): Value;
}

/**
 * Whether the variance, too, has to be right where the squares of the deviations overflow float32 (clause 12.7). It
 * takes two passes more.
 */
export type Range = "narrow" | "wide";

/**
 * Mean and variance from differences to an element of the channel itself, in two passes:
 *
 *     centre = shift + mean(x - shift)
 *     mean = centre + offset        offset = mean(x - centre)
 *     variance = mean((x - centre)^2) - offset^2
 *
 * Float32 sums of x itself would lose the digits of the deviations to an offset (clause 12.6). An element that lies
 * far outside makes x - shift as inaccurate; x - centre is not, and the second mean restores what the first one lost.
 * The offset is rounding, so nothing cancels where its square is subtracted. In a constant channel every difference
 * is 0, and so the variance is 0 exactly (clause 11.3).
 */
export function moments(graph: Graph, layout: Layout, x: Value, count: Value, epsilon: Value, range: Range): Moments {
  const shift = finite(graph, layout.first(graph, x));
  return momentsAround(graph, layout, x, shift, { seen: (value) => value, count, epsilon, range });
}

/** The moments under a mask. */
export interface VisibleMoments extends Moments {
  /** The number of visible elements of a channel, a float32 scalar. */
  readonly count: Value;
  /** Whether there is one. */
  readonly any: Value;
}

/**
 * The moments of the visible elements, those of `otherwise` where all are hidden (clause 9.4). The hidden ones are
 * left out of the sums by choice, not by a factor 0, so that a NaN among them stays there (clause 9.6). The shift is
 * the largest visible element, since the first may be hidden.
 */
export function visibleMoments(
  graph: Graph,
  layout: Layout,
  x: Value,
  mask: Value,
  otherwise: { readonly mean: Value; readonly variance: Value },
  epsilon: Value,
  range: Range,
): VisibleMoments {
  const zero = graph.float32(0);
  // Counted in int32, where every count is exact. (JSEP, the older WebGPU provider, does this on the CPU.)
  const counted = graph.op("ReduceSum", [graph.op("Cast", [mask], { to: ElementType.int32 })], { keepdims: 0 });
  const count = graph.op("Cast", [counted], { to: ElementType.float32 });
  const any = graph.op("Greater", [count, zero]);
  const lowest = graph.float32(-LARGEST_FLOAT32);
  const largest = finite(graph, layout.largest(graph, layout.visible(graph, mask, x, lowest)));
  const shift = graph.where(any, largest, otherwise.mean);
  const seen = (value: Value): Value => layout.visible(graph, mask, value, zero);
  const found = momentsAround(graph, layout, x, shift, { seen, count: atLeastOne(graph, count), epsilon, range });
  const inverse = graph.where(any, found.inverse, inverseDeviation(graph, otherwise.variance, epsilon));
  return { ...found, inverse, count, any };
}

interface MomentOptions {
  /** What of a value in x's layout enters the sums. */
  readonly seen: (value: Value) => Value;
  readonly count: Value;
  readonly epsilon: Value;
  readonly range: Range;
}

function momentsAround(graph: Graph, layout: Layout, x: Value, shift: Value, { seen, count, epsilon, range }: MomentOptions): Moments {
  const mean = (sum: Value): Value => graph.div(sum, count);
  const from = (centre: Value): Value => layout.less(graph, x, centre);
  const centre = graph.add(shift, mean(layout.sum(graph, seen(from(shift)))));
  const deviation = from(centre);
  const entering = seen(deviation);
  // Of an infinite centre the differences are NaN, and the mean is infinite all the same (clause 11.1).
  const offset = finite(graph, mean(layout.sum(graph, entering)));
  const corrected = graph.add(centre, offset);
  const common = { deviation, offset, mean: corrected, remainder: graph.sub(offset, graph.sub(corrected, centre)) };
  const variance = graph.sub(mean(layout.sumOfSquares(graph, entering)), graph.mul(offset, offset));
  const inverse = inverseDeviation(graph, variance, epsilon);
  if (range === "narrow") return { ...common, inverse, weighVariance: (weight) => weight(variance) };

  const [down, up] = [graph.float32(2 ** -80), graph.float32(2 ** 80)];
  // Where squares overflow the offset is nothing beside them.
  const scaled = mean(layout.sumOfSquares(graph, graph.mul(entering, down)));
  const fits = fitsFloat32(graph, variance);
  const scaledEpsilon = graph.mul(graph.mul(epsilon, down), down);
  return {
    ...common,
    inverse: graph.where(fits, inverse, graph.mul(inverseDeviation(graph, scaled, scaledEpsilon), down)),
    weighVariance: (weight) => graph.where(fits, weight(variance), graph.mul(graph.mul(weight(scaled), up), up)),
  };
}

function fitsFloat32(graph: Graph, value: Value): Value {
  return graph.op("LessOrEqual", [graph.op("Abs", [value]), graph.float32(LARGEST_FLOAT32)]);
}

/**
 * The value, or 0 in its place where it is infinite or NaN: x - shift would turn an infinite mean into NaN (clause
 * 11.1).
 */
export function finite(graph: Graph, value: Value): Value {
  return graph.where(fitsFloat32(graph, value), value, graph.float32(0));
}
