import { ElementType } from "@batchnorm/onnx-model/proto";
import type { Dimension, Graph, Value } from "./graph.ts";
import type { Layout } from "./layout.ts";

/**
 * What travels together in one input, in this order: vectors of `[channels]` as the rows of one tensor, or `[4]`
 * scalars.
 */
const PARTS = {
  parameters: ["gamma", "beta"],
  statistics: ["mean", "variance"],
  /**
   * The mean and 1 / sqrt(variance + epsilon) that a training step normalized with; `remainder` is what float32 lost
   * of the mean.
   */
  normalizer: ["mean", "inverse", "remainder"],
  /** `rest` is 1 - momentum, `count` the number of elements of a channel. */
  scalars: ["epsilon", "momentum", "rest", "count"],
} as const;

type Parts = typeof PARTS;

/**
 * x or dy of a graph, as float32. (A runtime may not take the two casts of half precision away and reckon in it: onnxruntime 1.30 does
 * not, on wasm and cpu: test/half.test.ts.)
 */
export function elements(graph: Graph, { dtype, shape }: Layout, name: "x" | "dy"): Value {
  const given = graph.input(name, dtype, shape);
  return dtype === "float32" ? given : graph.op("Cast", [given], { to: ElementType.float32 });
}

/** y or dx of a graph, rounded to the dtype of x. */
export function outputElements(graph: Graph, { dtype, shape }: Layout, name: "y" | "dx", value: Value): void {
  const given = dtype === "float32" ? value : graph.op("Cast", [value], { to: ElementType[dtype] });
  graph.output(name, given, dtype, shape);
}

/**
 * Several values in one input, since an input of a run costs 1 to 6 microseconds on wasm (onnxruntime-web 1.30). So
 * packed, the state is 4 to 10 microseconds a run slower than initializers would be; but one session serves every
 * layer, while initializers want a new one (300 microseconds at least) whenever a parameter or a statistic changes.
 * For the same reason epsilon and momentum are no constants: a graph of each config's own would compile shaders of
 * its own on webgpu.
 *
 * Gather takes a part out. (Split does not work without sizes on JSEP, the older WebGPU provider of onnxruntime-web
 * 1.30.)
 */
export function packed<Name extends keyof Parts>(graph: Graph, name: Name): (part: Parts[Name][number]) => Value {
  const { length } = PARTS[name];
  const shape: readonly Dimension[] = name === "scalars" ? [length] : [length, "channels"];
  const input = graph.input(name, "float32", shape);
  const names: readonly string[] = PARTS[name];
  return (part) => graph.op("Gather", [input, graph.int64(names.indexOf(part))], { axis: 0 });
}

/** Puts the parts out as one tensor, as `packed` takes it in. */
export function outputPacked(graph: Graph, name: "statistics" | "normalizer", parts: readonly Value[]): void {
  const rows = graph.op("Reshape", [graph.op("Concat", parts, { axis: 0 }), graph.int64([parts.length, -1])]);
  graph.output(`${name}_out`, rows, "float32", [parts.length, "channels"]);
}

/** The scalars of a call. */
export function scalarsOf({ epsilon, momentum }: { epsilon: number; momentum: number }, count: number): Float32Array {
  return Float32Array.of(epsilon, momentum, 1 - momentum, count);
}

/** 1 / sqrt(variance + epsilon), `[channels]`. */
export function inverseDeviation(graph: Graph, variance: Value, epsilon: Value): Value {
  return graph.div(graph.float32(1), graph.op("Sqrt", [graph.add(variance, epsilon)]));
}

/** max(count, 1), for a divisor. (As a choice, since Max runs on the CPU with JSEP.) */
export function atLeastOne(graph: Graph, count: Value): Value {
  const one = graph.float32(1);
  return graph.where(graph.op("Greater", [count, one]), count, one);
}
