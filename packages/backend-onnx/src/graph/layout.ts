import { ElementType } from "@batchnorm/onnx-model/proto";
import type { Dimension, Graph, Value } from "./graph.ts";
import type { StageShape } from "./stages.ts";

/**
 * How x lies in a graph. The formulas are written once, over values of x's shape and values of `[channels]`; a layout
 * says how the one kind meets the other. There is no transposition in either.
 */
export interface Layout {
  readonly name: "channels-first" | "channels-last";
  /** Layouts with the same key make the same graphs. */
  readonly key: string;
  /** What x, y, dy and dx are outside of the graph; in it everything is float32. */
  readonly dtype: FloatDType;
  /** The dimensions of x, and of everything elementwise. */
  readonly shape: readonly Dimension[];
  /** The dimensions of a mask over x. */
  readonly maskShape: readonly Dimension[];
  /**
   * What a mask is given as. The bytes of a bool tensor may be any, such as the 255 of an image's alpha channel, and
   * kernels on the CPU take a bool for 0 or 1 (onnxruntime 1.30 counts 255 as 255, or looks at one bit); as numbers
   * all of them are right.
   */
  readonly maskType: "uint8" | "bool";
  /** Declares the inputs that the layout itself needs. */
  declare(graph: Graph): void;
  /** x less a number for each channel, `[channels]`. */
  less(graph: Graph, x: Value, perChannel: Value): Value;
  /** x * factor, `[channels]`. */
  times(graph: Graph, x: Value, factor: Value): Value;
  /** The same where the factor may be infinite: BatchNormalization would multiply it with a mean of 0. */
  timesUnbounded(graph: Graph, x: Value, factor: Value): Value;
  /** x * factor + summand, each `[channels]`. */
  affine(graph: Graph, x: Value, factor: Value, summand: Value): Value;
  /** The first element of every channel, `[channels]`. */
  first(graph: Graph, x: Value): Value;
  /** The largest element of every channel, `[channels]`. */
  largest(graph: Graph, x: Value): Value;
  /** The sum over all elements of a channel, `[channels]`. */
  sum(graph: Graph, x: Value): Value;
  /** The same of the squares of the elements. */
  sumOfSquares(graph: Graph, x: Value): Value;
  /** x where the mask is true, the scalar elsewhere. */
  visible(graph: Graph, mask: Value, x: Value, otherwise: Value): Value;
}

/** The dtypes of x, y, dy and dx. */
export type FloatDType = "float32" | "float16";

/** What kind of device a layout is for. */
export interface LayoutOptions {
  readonly dtype: FloatDType;
  /**
   * On the CPU, sums of blocks are added in float64, which a GPU does not have: there, in further stages. And on the
   * CPU the BatchNormalization of inference subtracts, multiplies and adds, with a variance of 0 and an epsilon of 1:
   * its kernel takes a row in 5 ns, where an elementwise operator takes 35 to broadcast over it, and needs one pass
   * for a product and a sum. What a GPU takes for 1 / sqrt(1) need not be 1.
   */
  readonly onHost: boolean;
}

/**
 * The int64 inputs that split an axis into the stages of its sum: the shape that has them, and the zeros that go
 * behind the axis, as Reshape and Pad take them. An axis of one stage has neither.
 */
export interface AxisInputs {
  readonly stages: string;
  readonly padding: string;
}

export const INNER: AxisInputs = { stages: "inner_stages", padding: "inner_padding" };
export const OUTER: AxisInputs = { stages: "outer_stages", padding: "outer_padding" };

/** How many rows `channelsLast` has put side by side, `[1]`, and the stages of their sum. */
export const TILE = "tile";
export const TILES: AxisInputs = { stages: "tile_stages", padding: "tile_padding" };

/** x is `[outer, channels, inner]`: the view of the contract as it is. */
export function channelsFirst(outer: StageShape, inner: StageShape, { onHost, dtype }: LayoutOptions): Layout {
  const spread = (graph: Graph, perChannel: Value): Value => graph.op("Unsqueeze", [perChannel, graph.int64([1])]);
  const vector = (graph: Graph, value: number, like: Value): Value => graph.op("Expand", [graph.float32(value), graph.op("Shape", [like])]);
  const operator = (graph: Graph, x: Value, factor: Value, summand: Value, mean: Value): Value =>
    graph.op("BatchNormalization", [x, factor, summand, mean, vector(graph, 0, factor)], { epsilon: { float: 1 } });

  const sum = (graph: Graph, x: Value, ofElements: Reduction): Value => {
    const blocks = reduce(graph, ofElements, split(graph, x, inner, INNER), 1 + inner.count);
    if (!onHost) {
      const rows = sumAxes(graph, blocks, 2, inner.count - 1);
      return sumAxes(graph, split(graph, rows, outer, OUTER), 0, outer.count);
    }
    if (outer.count === 1) return narrow(graph, sumAxes(graph, sumAxes(graph, widen(graph, blocks), 2, inner.count - 1), 0, 1));
    const rows = reduce(graph, "ReduceSum", split(graph, blocks, outer, OUTER), outer.count - 1);
    return narrow(graph, sumAxes(graph, widen(graph, rows), 0, outer.count - 1));
  };

  return {
    name: "channels-first",
    key: `channels-first ${dtype} ${keyOf(outer)} ${keyOf(inner)}`,
    dtype,
    shape: ["outer", "channels", "inner"],
    maskShape: ["outer", 1, "inner"],
    maskType: onHost ? "uint8" : "bool",
    declare: (graph) => {
      declareAxis(graph, outer, OUTER, 2);
      declareAxis(graph, inner, INNER, 3);
    },
    less: (graph, x, perChannel) =>
      onHost
        ? operator(graph, x, vector(graph, 1, perChannel), vector(graph, 0, perChannel), perChannel)
        : graph.sub(x, spread(graph, perChannel)),
    times: (graph, x, factor) =>
      onHost ? operator(graph, x, factor, vector(graph, 0, factor), vector(graph, 0, factor)) : graph.mul(x, spread(graph, factor)),
    timesUnbounded: (graph, x, factor) => graph.mul(x, spread(graph, factor)),
    affine: (graph, x, factor, summand) =>
      onHost
        ? operator(graph, x, factor, summand, vector(graph, 0, factor))
        : graph.add(graph.mul(x, spread(graph, factor)), spread(graph, summand)),
    // Slice copies what it takes, where a Gather after another copies a whole row of channels first.
    first: (graph, x) => {
      const corner = graph.op("Slice", [x, graph.int64([0, 0]), graph.int64([1, 1]), graph.int64([0, 2])]);
      return graph.op("Reshape", [corner, graph.int64([-1])]);
    },
    largest: (graph, x) => reduce(graph, "ReduceMax", reduce(graph, "ReduceMax", x, 2), 0),
    sum: (graph, x) => sum(graph, x, "ReduceSum"),
    // It needs no pass of its own for the squares. (On the CPU it is fast along the last axis only.)
    sumOfSquares: (graph, x) => sum(graph, x, "ReduceSumSquare"),
    visible: (graph, mask, x, otherwise) => graph.where(mask, x, otherwise),
  };
}

/**
 * Channels last, `[rows, channels]`, with `tile` rows put side by side: x is `[rows / tile, tile * channels]`, which
 * is the same memory. Vectors of `[channels]` are repeated to fit. The runtime's elementwise operators work through
 * one broadcast span after another, and a span of 64 channels costs them more in bookkeeping than in arithmetic: on
 * `[25088, 64]`, Mul and Add took 2.1 ms on `[rows, channels]` and 1.5 ms with 16 rows side by side (onnxruntime-web
 * 1.30, wasm, one thread).
 */
export function channelsLast(rows: StageShape, tile: StageShape, { onHost, dtype }: LayoutOptions): Layout {
  const spread = (graph: Graph, perChannel: Value): Value => graph.op("Tile", [perChannel, TILE]);
  /** `[tile * channels]` as `[tile, channels]`. */
  const rowsOfTile = (graph: Graph, row: Value): Value =>
    graph.op("Reshape", [row, graph.op("Concat", [TILE, graph.int64([-1])], { axis: 0 })]);

  const sum = (graph: Graph, x: Value): Value => {
    const blocks = reduce(graph, "ReduceSum", split(graph, x, rows, OUTER), rows.count - 1);
    const row = sumAxes(graph, onHost ? widen(graph, blocks) : blocks, 0, rows.count - 1);
    if (onHost) return narrow(graph, sumAxes(graph, rowsOfTile(graph, row), 0, 1));
    return sumAxes(graph, split(graph, rowsOfTile(graph, row), tile, TILES), 0, tile.count);
  };

  return {
    name: "channels-last",
    key: `channels-last ${dtype} ${keyOf(rows)} ${keyOf(tile)}`,
    dtype,
    shape: ["tiles", "tile * channels"],
    maskShape: ["tiles", "tile", 1],
    maskType: onHost ? "uint8" : "bool",
    declare: (graph) => {
      graph.input(TILE, "int64", [1]);
      declareAxis(graph, rows, OUTER, 2);
      declareAxis(graph, tile, TILES, 2);
    },
    less: (graph, x, perChannel) => graph.sub(x, spread(graph, perChannel)),
    times: (graph, x, factor) => graph.mul(x, spread(graph, factor)),
    timesUnbounded: (graph, x, factor) => graph.mul(x, spread(graph, factor)),
    affine: (graph, x, factor, summand) => graph.add(graph.mul(x, spread(graph, factor)), spread(graph, summand)),
    first: (graph, x) => {
      const row = graph.op("Gather", [x, graph.int64(0)], { axis: 0 });
      return graph.op("Gather", [rowsOfTile(graph, row), graph.int64(0)], { axis: 0 });
    },
    largest: (graph, x) => reduce(graph, "ReduceMax", rowsOfTile(graph, reduce(graph, "ReduceMax", x, 0)), 0),
    sum,
    sumOfSquares: (graph, x) => sum(graph, graph.mul(x, x)),
    visible: (graph, mask, x, otherwise) => {
      const shape = graph.op("Concat", [graph.int64([0]), TILE, graph.int64([-1])], { axis: 0 });
      return graph.op("Reshape", [graph.where(mask, graph.op("Reshape", [x, shape]), otherwise), graph.int64([0, -1])]);
    },
  };
}

function keyOf({ count, padded }: StageShape): string {
  return `${count}${padded ? "+" : ""}`;
}

/** The axis of a value of this rank. */
function declareAxis(graph: Graph, { count, padded }: StageShape, { stages, padding }: AxisInputs, rank: number): void {
  if (count > 1) graph.input(stages, "int64", [rank - 1 + count]);
  if (padded) graph.input(padding, "int64", [2 * rank]);
}

/** The value with the axis of these inputs as several, one for each stage. */
function split(graph: Graph, value: Value, { count, padded }: StageShape, { stages, padding }: AxisInputs): Value {
  const whole = padded ? graph.op("Pad", [value, padding]) : value;
  return count > 1 ? graph.op("Reshape", [whole, stages]) : whole;
}

/** Sums over so many axes from this one on, one after another, the last of them first: its terms lie closest. */
function sumAxes(graph: Graph, value: Value, axis: number, count: number): Value {
  let sum = value;
  for (let stage = count - 1; stage >= 0; stage--) sum = reduce(graph, "ReduceSum", sum, axis + stage);
  return sum;
}

function widen(graph: Graph, value: Value): Value {
  return graph.op("Cast", [value], { to: ElementType.float64 });
}

function narrow(graph: Graph, value: Value): Value {
  return graph.op("Cast", [value], { to: ElementType.float32 });
}

type Reduction = "ReduceSum" | "ReduceSumSquare" | "ReduceMax";

/** Opset 15 takes the axes of ReduceSum as an input, those of the others as an attribute. */
function reduce(graph: Graph, operator: Reduction, x: Value, axis: number): Value {
  if (operator === "ReduceSum") return graph.op("ReduceSum", [x, graph.int64([axis])], { keepdims: 0 });
  return graph.op(operator, [x], { axes: [axis], keepdims: 0 });
}
