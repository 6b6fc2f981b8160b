import { ElementType } from "@batchnorm/onnx-model/proto";
import type { Graph, Value } from "./graph.ts";
import { atLeastOne } from "./inputs.ts";
import type { Layout } from "./layout.ts";

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** The statistics of a batch, `[channels]`, and what they were taken from. */
export interface Moments {
  /** x - mean, in x's layout. */
  readonly deviation: Value;
  readonly mean: Value;
  /** The population variance. */
  readonly variance: Value;
}

/**
 * Mean and variance from differences to an element of the channel itself, in two passes:
 *
 *     mean = shift + mean(x - shift)        variance = mean((x - mean)^2)
 *
 * Float32 sums of x itself would lose the digits of the deviations to an offset (clause 12.6). In a constant channel every
 * difference is 0, and so the variance is 0 exactly (clause 11.3).
 */
export function moments(graph: Graph, layout: Layout, x: Value): Moments {
  const { shift, shifted } = shiftByFirst(graph, layout, x);
  const offset = layout.reduce(graph, "ReduceMean", shifted);
  const deviation = graph.sub(shifted, layout.spread(graph, offset));
  const variance = layout.reduce(graph, "ReduceMean", graph.mul(deviation, deviation));
  return { deviation, mean: graph.add(shift, offset), variance };
}

/** The first element of each channel, and x less it. */
export function shiftByFirst(graph: Graph, layout: Layout, x: Value): { shift: Value; shifted: Value } {
  const shift = finite(graph, layout.first(graph, x));
  return { shift, shifted: graph.sub(x, layout.spread(graph, shift)) };
}

/** The moments under a mask. */
export interface VisibleMoments extends Moments {
  /** The number of visible elements of a channel, a float32 scalar. */
  readonly count: Value;
  /** Whether there is one. */
  readonly any: Value;
}

/**
 * The moments of the visible elements, those of `otherwise` where all are hidden (clause 9.4). The hidden ones are left out of the
 * sums by choice, not by a factor 0, so that a NaN among them stays there (clause 9.6). The shift is the largest visible
 * element, since the first may be hidden.
 */
export function visibleMoments(
  graph: Graph,
  layout: Layout,
  x: Value,
  mask: Value,
  otherwise: { readonly mean: Value; readonly variance: Value },
): VisibleMoments {
  const zero = graph.float32(0);
  // Counted in int32, where every count is exact. (JSEP, the older WebGPU provider, does this on the CPU.)
  const counted = graph.op("ReduceSum", [graph.op("Cast", [mask], { to: ElementType.int32 })], { keepdims: 0 });
  const count = graph.op("Cast", [counted], { to: ElementType.float32 });
  const any = graph.op("Greater", [count, zero]);
  const n = atLeastOne(graph, count);
  const mean = (value: Value): Value => graph.div(layout.reduce(graph, "ReduceSum", layout.visible(graph, mask, value, zero)), n);
  const lowest = graph.float32(-LARGEST_FLOAT32);
  const largest = finite(graph, layout.reduce(graph, "ReduceMax", layout.visible(graph, mask, x, lowest)));
  const shift = graph.where(any, largest, otherwise.mean);
  const shifted = graph.sub(x, layout.spread(graph, shift));
  const offset = mean(shifted);
  const deviation = graph.sub(shifted, layout.spread(graph, offset));
  const variance = graph.where(any, mean(graph.mul(deviation, deviation)), otherwise.variance);
  return { deviation, mean: graph.add(shift, offset), variance, count, any };
}

/** The value, or 0 in its place where it is infinite or NaN: x - shift would turn an infinite mean into NaN (clause 11.1). */
function finite(graph: Graph, value: Value): Value {
  const holds = graph.op("LessOrEqual", [graph.op("Abs", [value]), graph.float32(LARGEST_FLOAT32)]);
  return graph.where(holds, value, graph.float32(0));
}
