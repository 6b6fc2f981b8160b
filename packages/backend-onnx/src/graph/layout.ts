import type { Dimension, Graph, Value } from "./graph.ts";

export type Reduction = "ReduceMean" | "ReduceMax" | "ReduceSum";

/**
 * How x lies in a graph. The formulas are written once, over values of x's shape and values of `[channels]`; a layout says how
 * the one kind meets the other. There is no transposition in either.
 */
export interface Layout {
  readonly name: "channels-first" | "channels-last";
  /** The dimensions of x, and of everything elementwise. */
  readonly shape: readonly Dimension[];
  /** The dimensions of a mask over x. */
  readonly maskShape: readonly Dimension[];
  /** Declares the inputs that the layout itself needs. */
  declare(graph: Graph): void;
  /** `[channels]` in a form that an elementwise operator broadcasts against x. */
  spread(graph: Graph, perChannel: Value): Value;
  /** The first element of every channel, `[channels]`. */
  first(graph: Graph, x: Value): Value;
  /** A reduction over all elements of a channel, `[channels]`. */
  reduce(graph: Graph, operator: Reduction, x: Value): Value;
  /** x where the mask is true, the scalar elsewhere. */
  visible(graph: Graph, mask: Value, x: Value, otherwise: Value): Value;
}

/** x is `[outer, channels, inner]`: the view of the contract as it is. */
export const CHANNELS_FIRST: Layout = {
  name: "channels-first",
  shape: ["outer", "channels", "inner"],
  maskShape: ["outer", 1, "inner"],
  declare: () => {},
  spread: (graph, perChannel) => graph.op("Unsqueeze", [perChannel, graph.int64([1])]),
  first: (graph, x) => {
    const index = graph.int64(0);
    return graph.op("Gather", [graph.op("Gather", [x, index], { axis: 0 }), index], { axis: 1 });
  },
  // In two stages: sums of sums are more exact than one long sum, and give a GPU more to do at a time.
  reduce: (graph, operator, x) => reduceAxis(graph, operator, reduceAxis(graph, operator, x, 2), 0),
  visible: (graph, mask, x, otherwise) => graph.where(mask, x, otherwise),
};

/** The input of `CHANNELS_LAST` that says how many rows were put side by side. */
export const TILE = "tile";

/**
 * Channels last, `[rows, channels]`, with `tile` rows put side by side: x is `[rows / tile, tile * channels]`, which is the same
 * memory. Vectors of `[channels]` are repeated to fit. The runtime's elementwise operators work through one broadcast span
 * after another, and a span of 64 channels costs them more in bookkeeping than in arithmetic: on `[25088, 64]`, Mul and Add
 * took 2.1 ms on `[rows, channels]` and 1.5 ms with 16 rows side by side (onnxruntime-web 1.30, wasm, one thread).
 */
export const CHANNELS_LAST: Layout = {
  name: "channels-last",
  shape: ["tiles", "tile * channels"],
  maskShape: ["tiles", "tile", 1],
  declare: (graph) => {
    graph.input(TILE, "int64", [1]);
  },
  spread: (graph, perChannel) => graph.op("Tile", [perChannel, TILE]),
  first: (graph, x) => {
    const row = graph.op("Gather", [x, graph.int64(0)], { axis: 0 });
    return graph.op("Gather", [rowsOfTile(graph, row), graph.int64(0)], { axis: 0 });
  },
  reduce: (graph, operator, x) => reduceAxis(graph, operator, rowsOfTile(graph, reduceAxis(graph, operator, x, 0)), 0),
  visible: (graph, mask, x, otherwise) => {
    const shape = graph.op("Concat", [graph.int64([0]), TILE, graph.int64([-1])], { axis: 0 });
    return graph.op("Reshape", [graph.where(mask, graph.op("Reshape", [x, shape]), otherwise), graph.int64([0, -1])]);
  },
};

/** `[tile * channels]` as `[tile, channels]`. */
function rowsOfTile(graph: Graph, row: Value): Value {
  return graph.op("Reshape", [row, graph.op("Concat", [TILE, graph.int64([-1])], { axis: 0 })]);
}

/** Opset 15 takes the axes of ReduceSum as an input, those of the others as an attribute. */
function reduceAxis(graph: Graph, operator: Reduction, x: Value, axis: number): Value {
  if (operator === "ReduceSum") return graph.op("ReduceSum", [x, graph.int64([axis])], { keepdims: 0 });
  return graph.op(operator, [x], { axes: [axis], keepdims: 0 });
}
