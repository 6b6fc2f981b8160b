import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { find, readModel } from "../src/index.ts";
import { ElementType, EXTERNAL, GraphProtoSchema, NodeProtoSchema, TensorProtoSchema } from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { float, Models, valueInfo } from "./model-builder.ts";

const VECTORS = { gamma: [1.5, -0.5, 2], beta: [0.25, 2, -1], mean: [0.75, -1.25, 3], variance: [4, 0.5, 1] };

/** x of `shape`, a BatchNormalization of three channels by names, and whatever `more` adds before y. */
function oneLayer(shape: readonly (number | string)[], inputs: (graph: Models) => readonly string[]): Models {
  const graph = new Models();
  const x = graph.input("x", shape);
  graph.op("BatchNormalization", [x, ...inputs(graph)], {}, "y");
  return graph.output("y", shape);
}

const stored = (graph: Models): string[] => Object.entries(VECTORS).map(([name, values]) => graph.float(values, [3], `bn.${name}`));

test("of two initializers with one name the last one counts, as in onnxruntime", async () => {
  const graph = oneLayer(["n", 3], stored);
  graph.float([7, 8, 9], [3], "bn.gamma");
  const { layers } = await find(graph.model());
  expect([...layers[0].parameters.gamma!]).toEqual([7, 8, 9]);
});

test("arithmetic on constants is done in float64, whatever is between a file's arrays and the layer", async () => {
  const graph = oneLayer(["n", 3], (g) => {
    const scalar = g.op("Constant", [], { value_float: { float: 0.25 } });
    const vector = g.op("Constant", [], { value: float("", [1, 2, 3]) });
    const column = g.op("Transpose", [g.op("Unsqueeze", [vector, g.int64([0])])], { perm: [1, 0] });
    const flat = g.op("Squeeze", [g.op("Reshape", [column, g.int64([1, -1])]), g.int64([0])]);
    const gamma = g.op("Sub", [g.op("Mul", [flat, scalar]), g.op("Neg", [flat])]);
    const beta = g.op("Div", [flat, g.op("Sqrt", [g.op("Reciprocal", [scalar])])]);
    const filled = g.op("ConstantOfShape", [g.int64([3])], { value: float("", [5]) });
    return [gamma, beta, g.op("Identity", [filled]), g.op("Expand", [scalar, g.int64([3])])];
  });
  const { layers } = await find(graph.model());
  expect(layers[0].parameters).toEqual({ gamma: Float64Array.of(1.25, 2.5, 3.75), beta: Float64Array.of(0.5, 1, 1.5) });
  expect(layers[0].statistics).toEqual({ movingMean: Float64Array.of(5, 5, 5), movingVariance: Float64Array.of(0.25, 0.25, 0.25) });
});

describe("a node that no runtime takes", () => {
  test.each<[string, Models, string]>([
    ["four inputs", oneLayer(["n", 3], (g) => stored(g).slice(0, 3)), "lacks an input"],
    ["an input that was left out", oneLayer(["n", 3], (g) => ["", ...stored(g).slice(1)]), "lacks an input"],
    ["arrays of two lengths", oneLayer(["n", 3], (g) => [g.float([1, 2], [2]), ...stored(g).slice(1)]), "wrong shape"],
    ["a matrix", oneLayer(["n", 3], (g) => [g.float([1, 2, 3], [3, 1]), ...stored(g).slice(1)]), "wrong shape"],
    ["no channels", oneLayer(["n", 0], (g) => [1, 2, 3, 4].map(() => g.float([], [0]))), "is empty"],
  ])("%s", async (_, graph, sentence) => {
    await expectCode("invalid-file", () => find(graph.model()), sentence);
  });

  test.each([
    ["epsilon as an integer", { epsilon: 1 }, "wrong type"],
    ["training_mode as a float", { training_mode: { float: 1 } }, "wrong type"],
    ["training_mode 2", { training_mode: 2 }, "0 or 1"],
  ])("%s", async (_, attributes, sentence) => {
    const graph = new Models();
    graph.op("BatchNormalization", [graph.input("x", ["n", 3]), ...stored(graph)], attributes, "y");
    await expectCode("invalid-file", () => find(graph.output("y", ["n", 3]).model()), sentence);
  });
});

describe("the axis", () => {
  /** x through Flatten and Reshape into the node, and what `end` makes of its output. */
  async function axisOf(
    flattened: number,
    target: readonly number[],
    end: (graph: Models, x: string, out: string) => void,
  ): Promise<number> {
    const graph = new Models();
    const x = graph.input("x", ["n", 4, 4, 3]);
    const view = graph.op("Reshape", [graph.op("Flatten", [x], { axis: flattened }), graph.int64(target)]);
    end(graph, x, graph.op("BatchNormalization", [view, ...stored(graph)], {}, "out"));
    const { layers } = await find(graph.model());
    return layers[0].axis;
  }
  const back = (graph: Models, x: string, out: string): void => {
    graph.op("Reshape", [out, graph.op("Shape", [x])], {}, "y");
    graph.output("y", ["n", 4, 4, 3]);
  };

  test("is that of the view around the node, if all of the view is there", async () => {
    expect(await axisOf(3, [0, 3, -1], back)).toBe(3);
    expect(await axisOf(-1, [0, 3, -1], back)).toBe(-1);
  });

  test("is 1 after a Flatten and a Reshape of other purpose", async () => {
    expect(await axisOf(3, [-1, 3, 16], back)).toBe(1);
    expect(await axisOf(3, [0, 3, -1], (graph, _, out) => void graph.output(out, ["a", 3, "b"]))).toBe(1);
    expect(await axisOf(3, [0, 3, -1], (graph, _, out) => back(graph, graph.input("other", ["n", 3]), out))).toBe(1);
    const second = (graph: Models, x: string, out: string): void => {
      back(graph, x, out);
      graph.output(out, ["a", 3, "b"]);
    };
    expect(await axisOf(3, [0, 3, -1], second)).toBe(1);
  });
});

describe("decomposed forms", () => {
  /** Keras on JAX: nothing is folded, everything is in the file. */
  function jax(order: (graph: Models, parts: { x: string; k: string; l: string }) => string, epsilon = 1e-3): Models {
    const graph = new Models();
    const x = graph.input("x", ["n", 4, 4, 3]);
    const [gamma, beta, mean, variance] = stored(graph).map((name) => graph.op("Reshape", [name, graph.int64([1, 1, 1, 3])]));
    const root = graph.op("Sqrt", [graph.op("Add", [variance, graph.float([epsilon], [])])]);
    const k = graph.op("Mul", [graph.op("Div", [graph.float([1], []), root]), gamma]);
    const l = graph.op("Add", [graph.op("Mul", [graph.op("Neg", [mean]), k]), beta]);
    return graph.output(order(graph, { x, k, l }), ["n", 4, 4, 3]);
  }

  test.each<[string, Parameters<typeof jax>[0]]>([
    ["x k + l", (g, { x, k, l }) => g.op("Add", [g.op("Mul", [x, k]), l], {}, "y")],
    ["l + k x", (g, { x, k, l }) => g.op("Add", [l, g.op("Mul", [k, x])], {}, "y")],
    ["with an Identity between", (g, { x, k, l }) => g.op("Add", [g.op("Identity", [g.op("Mul", [x, k])]), l], {}, "y")],
  ])("unfolded: %s gives all four arrays and epsilon", async (_, order) => {
    const { layers } = await find(jax(order).model(23));
    expect(layers).toHaveLength(1);
    const [layer] = layers;
    expect(layer).toMatchObject({
      form: "unfolded",
      certainty: "certain",
      axis: 3,
      rank: 4,
      channels: 3,
      epsilon: Math.fround(1e-3),
      missing: {},
    });
    expect({ ...layer.parameters, ...layer.statistics }).toEqual({
      gamma: Float32Array.from(VECTORS.gamma),
      beta: Float32Array.from(VECTORS.beta),
      movingMean: Float32Array.from(VECTORS.mean),
      movingVariance: Float32Array.from(VECTORS.variance),
    });
    expect(layer.name).toBe("bn");
  });

  test("a mean that is added, not taken away, is no layer of the formula", async () => {
    const wrong = jax((g, { x, k }) => {
      const l = g.op("Add", [g.op("Mul", ["bn.mean", k]), "bn.beta"]);
      return g.op("Add", [g.op("Mul", [x, k]), l], {}, "y");
    });
    expect((await find(wrong.model(23))).layers.map(({ form }) => form)).toEqual(["Mul+Add"]);
  });

  test("constants along the batch are no layer's", async () => {
    const graph = new Models();
    const product = graph.op("Mul", [graph.input("x", [3, 2, 4, 4]), graph.float([1, 2, 3], [3, 1, 1, 1])]);
    graph.output(graph.op("Add", [product, graph.float([1, 2, 3], [3, 1, 1, 1])]), [3, 2, 4, 4]);
    expect((await find(graph.model())).layers).toEqual([]);
  });

  test("unfolded without gamma and beta", async () => {
    const graph = new Models();
    const x = graph.input("x", ["n", 3]);
    const root = graph.op("Sqrt", [graph.op("Add", [graph.float(VECTORS.variance), graph.float([1e-3], [1])])]);
    graph.op("Div", [graph.op("Sub", [x, graph.float(VECTORS.mean)]), root], {}, "y");
    const { layers } = await find(graph.output("y", ["n", 3]).model());
    expect(layers[0]).toMatchObject({ form: "unfolded", missing: { gamma: "absent", beta: "absent" }, axis: 1 });
    expect([...layers[0].statistics.movingVariance!]).toEqual(VECTORS.variance);
  });

  test("a mean that is not the one of the shift is no layer of the formula", async () => {
    const graph = jax((g, { x, k }) => {
      // l has the mean times another k.
      const other = g.float([1, 2, 3], [1, 1, 1, 3]);
      const l = g.op("Add", [g.op("Mul", [g.op("Neg", ["bn.mean"]), other]), "bn.beta"]);
      return g.op("Add", [g.op("Mul", [x, k]), l], {}, "y");
    });
    const { layers } = await find(graph.model(23));
    expect(layers.map(({ form }) => form)).toEqual(["Mul+Add"]);
  });

  /** Steps on x after `before`, with constants of `dims`. */
  async function chain(
    operations: readonly string[],
    before: string | null,
    dims: readonly number[],
    names = "",
  ): Promise<readonly string[]> {
    const graph = new Models();
    let x = graph.input("x", ["n", 3, 4, 4]);
    if (before === "Conv") x = graph.op("Conv", [x, graph.float(new Float32Array(9).fill(1), [3, 3, 1, 1])]);
    else if (before !== null) x = graph.op(before, [x]);
    for (const [k, operation] of operations.entries()) x = graph.op(operation, [x, graph.float([1, 2, 3], dims, `${names}c${k}`)]);
    const { layers, lookalikes } = await find(graph.output(x, ["n", 3, 4, 4]).model());
    return [...layers.map(({ form, certainty, axis }) => `${form} ${certainty} ${axis}`), ...lookalikes.map(({ code }) => code)];
  }

  test.each<[readonly string[], string | null, readonly number[], readonly string[]]>([
    [["Mul", "Add"], "Conv", [1, 3, 1, 1], ["Mul+Add likely 1"]],
    [["Mul", "Sub"], "Conv", [3, 1, 1], ["Mul+Add likely 1"]],
    [["Add", "Mul", "Add"], "Conv", [3, 1, 1], ["Mul+Add likely 1"]],
    [["Sub", "Mul", "Add"], "Conv", [3, 1, 1], ["Sub+Mul+Add likely 1"]],
    [["Sub", "Div", "Mul", "Add"], "Conv", [3, 1, 1], ["Sub+Mul+Add likely 1"]],
    [["Sub", "Mul"], "Conv", [3, 1, 1], ["Sub+Mul+Add likely 1"]],
    [["Mul", "Add", "Mul", "Add"], "Conv", [3, 1, 1], ["Mul+Add likely 1", "Mul+Add possible 1"]],
    [["Mul", "Add"], "Relu", [3, 1, 1], ["Mul+Add possible 1"]],
    [["Mul", "Add"], null, [3, 1, 1], ["Mul+Add possible 1"]],
    [["Sub", "Div"], null, [3, 1, 1], ["input-scaling"]],
    [["Add"], "Conv", [3, 1, 1], []],
    [["Mul"], "Conv", [3, 1, 1], []],
    [["Add", "Mul"], "Conv", [3, 1, 1], []],
  ])("%s after %s with %s", async (operations, before, dims, expected) => {
    expect(await chain(operations, before, dims)).toEqual(expected);
  });

  test("a name makes it certain", async () => {
    expect(await chain(["Mul", "Add"], null, [3, 1, 1], "model/batch_normalization_1/")).toEqual(["Mul+Add certain 1"]);
  });

  test("something else that reads what is between ends a chain", async () => {
    const graph = new Models();
    const x = graph.op("Conv", [graph.input("x", ["n", 3, 4, 4]), graph.float(new Float32Array(9).fill(1), [3, 3, 1, 1])]);
    const product = graph.op("Mul", [x, graph.float([1, 2, 3], [3, 1, 1])]);
    graph.output(graph.op("Add", [product, graph.float([1, 2, 3], [3, 1, 1])]), ["n", 3, 4, 4]);
    graph.output(graph.op("Relu", [product]), ["n", 3, 4, 4]);
    expect((await find(graph.model())).layers).toEqual([]);
  });
});

describe("training mode, spelled out", () => {
  type Write = (graph: Models, at: { x: string; mean: string; root: string; gamma: string; beta: string }) => string;

  function moments(axes: readonly number[], write: Write, variance?: (graph: Models, x: string, mean: string) => string): Models {
    const graph = new Models();
    const x = graph.input("x", ["n", 4, 4, 3]);
    const mean = graph.op("ReduceMean", [x], { axes, keepdims: 1 });
    const centred = graph.op("Sub", [x, mean]);
    const moment = variance?.(graph, x, mean) ?? graph.op("ReduceMean", [graph.op("Mul", [centred, centred])], { axes, keepdims: 1 });
    const root = graph.op("Sqrt", [graph.op("Add", [moment, graph.float([1e-3], [])])]);
    return graph.output(write(graph, { x, mean, root, gamma: graph.float(VECTORS.gamma), beta: graph.float(VECTORS.beta) }), [
      "n",
      4,
      4,
      3,
    ]);
  }

  const centred: Write = (g, { x, mean, root, gamma, beta }) =>
    g.op("Add", [g.op("Mul", [g.op("Div", [g.op("Sub", [x, mean]), root]), gamma]), beta], {}, "y");
  const spread: Write = (g, { x, mean, root, gamma, beta }) => {
    const k = g.op("Mul", [g.op("Reciprocal", [root]), gamma]);
    return g.op("Add", [g.op("Mul", [x, k]), g.op("Sub", [beta, g.op("Mul", [mean, k])])], {}, "y");
  };
  const meanSquare = (g: Models, x: string, mean: string): string => {
    const squares = g.op("ReduceMean", [g.op("Mul", [x, x])], { axes: [0, 1, 2], keepdims: 1 });
    return g.op("Relu", [g.op("Sub", [squares, g.op("Mul", [mean, mean])])]);
  };

  test.each<[string, Models, readonly string[]]>([
    ["(x - mean) r gamma + beta", moments([0, 1, 2], centred), ["gamma", "beta"]],
    ["x k + (beta - mean k)", moments([0, 1, 2], spread), ["gamma", "beta"]],
    ["with E[x^2] - E[x]^2", moments([0, 1, 2], centred, meanSquare), ["gamma", "beta"]],
    [
      "without beta",
      moments([0, 1, 2], (g, { x, mean, root, gamma }) => g.op("Mul", [g.op("Div", [g.op("Sub", [x, mean]), root]), gamma], {}, "y")),
      ["gamma"],
    ],
    ["without both", moments([0, 1, 2], (g, { x, mean, root }) => g.op("Div", [g.op("Sub", [x, mean]), root], {}, "y")), []],
  ])("%s", async (_, graph, readable) => {
    const { layers } = await find(graph.model(17));
    expect(layers).toHaveLength(1);
    expect(layers[0]).toMatchObject({
      form: "moments",
      mode: "training",
      axis: 3,
      epsilon: Math.fround(1e-3),
      momentum: null,
      affine: null,
    });
    expect(layers[0]).toMatchObject({ channels: 3, output: { value: "y" } });
    const { gamma, beta } = layers[0].parameters;
    expect([gamma && "gamma", beta && "beta"].filter((each) => each !== null)).toEqual(readable);
    expect(layers[0].missing).toMatchObject({ movingMean: "batch-statistics", movingVariance: "batch-statistics" });
  });

  test.each<[string, readonly number[]]>([
    ["a layer normalization", [3]],
    ["an instance normalization", [1, 2]],
    ["a normalization of each sample", [1, 2, 3]],
  ])("%s is none", async (_, axes) => {
    const { layers } = await find(moments(axes, centred).model(17));
    expect(layers).toEqual([]);
  });

  test.each([
    [32, 1],
    [31, 0],
  ])("a sum over %i elements of 32 is %i mean", async (count, layers) => {
    const graph = new Models();
    const x = graph.input("x", [2, 4, 4, 3]);
    const axes = graph.int64([0, 1, 2]);
    const mean = graph.op("Div", [graph.op("ReduceSum", [x, axes], { keepdims: 1 }), graph.float([count], [])]);
    const centred = graph.op("Sub", [x, mean]);
    const squares = graph.op("ReduceSumSquare", [centred, axes], { keepdims: 1 });
    const variance = graph.op("Div", [squares, graph.float([count], [])]);
    const root = graph.op("Sqrt", [graph.op("Add", [variance, graph.float([1e-3], [])])]);
    graph.op("Div", [centred, root], {}, "y");
    expect((await find(graph.output("y", [2, 4, 4, 3]).model(18))).layers).toHaveLength(layers);
  });

  test("axes that no tensor has are none", async () => {
    for (const axis of [2 ** 40, -(2 ** 40), 64]) {
      expect((await find(moments([0, axis], centred).model(17))).layers).toEqual([]);
    }
  });

  test("a node whose mean and variance are those of the batch", async () => {
    const graph = new Models();
    const x = graph.input("x", ["n", 3, 4, 4]);
    const mean = graph.op("ReduceMean", [x], { axes: [0, 2, 3], keepdims: 1 });
    const deviation = graph.op("Sub", [x, mean]);
    const variance = graph.op("ReduceMean", [graph.op("Mul", [deviation, deviation])], { axes: [0, 2, 3], keepdims: 0 });
    const [gamma, beta] = [graph.float(VECTORS.gamma), graph.float(VECTORS.beta)];
    const flat = graph.op("Squeeze", [mean, graph.int64([0, 2, 3])]);
    graph.op("BatchNormalization", [x, gamma, beta, flat, variance], {}, "y");
    const { layers } = await find(graph.output("y", ["n", 3, 4, 4]).model(17));
    expect(layers[0]).toMatchObject({ form: "moments+BatchNormalization", mode: "training", affine: null });
    expect(layers[0].statistics).toEqual({ movingMean: null, movingVariance: null });
  });
});

describe("what is none", () => {
  test("an instance normalization over [1, samples x channels, ...], with tiled arrays or arrays that were tiled before", async () => {
    for (const tiled of [true, false]) {
      const graph = new Models();
      const x = graph.op("Reshape", [graph.input("x", [2, 3, 4, 4]), graph.int64([1, 6, 4, 4])]);
      const arrays = Object.values(VECTORS).map((values) =>
        tiled ? graph.op("Tile", [graph.float(values), graph.int64([2])]) : graph.float([...values, ...values]),
      );
      graph.op("BatchNormalization", [x, ...arrays], { training_mode: 1 }, "y");
      const { layers, lookalikes } = await find(graph.output("y", [1, 6, 4, 4]).model());
      expect(layers).toEqual([]);
      expect(lookalikes.map(({ code }) => code)).toEqual(["instance-norm"]);
    }
  });

  test("the scale and shift of a layer normalization, and an operator of another domain", async () => {
    const graph = new Models();
    const x = graph.input("x", ["n", 4, 3]);
    const ones = graph.float([1, 1, 1]);
    const normal = graph.op("LayerNormalization", [x, ones], { axis: -1 });
    const shifted = graph.op("Add", [graph.op("Mul", [normal, graph.float([1, 2, 3])]), graph.float([1, 2, 3])]);
    graph.ops("BatchNormInternal", [shifted], {}, ["y"], { domain: "com.microsoft" });
    const { layers, lookalikes } = await find(graph.output("y", ["n", 4, 3]).model(17));
    expect(layers).toEqual([]);
    expect(lookalikes.map(({ code }) => code)).toEqual(["unknown-operator", "other-normalization"]);
  });
});

describe("traces of layers that were folded away", () => {
  async function traceOf(names: readonly string[], rule?: string): Promise<string | undefined> {
    const graph = new Models();
    const weights = names.map((name, k) =>
      k === 0 ? graph.float(new Float32Array(9), [3, 3, 1, 1], name) : graph.float([0, 0, 0], [3], name),
    );
    const metadataProps = rule === undefined ? [] : [{ key: "pkg.onnxscript.rewriter.rule_name", value: rule }];
    graph.ops("Conv", [graph.input("x", ["n", 3, 4, 4]), ...weights], {}, ["y"], { metadataProps });
    return (await find(graph.output("y", ["n", 3, 4, 4]).model())).traces[0]?.evidence;
  }

  test.each<[string, readonly string[], string | undefined, string | undefined]>([
    ["onnxscript", ["w", "b"], "FuseBatchNormIntoConv", "metadata"],
    ["onnxscript, of another rule", ["w", "b"], "FusePadIntoConv", undefined],
    ["tf2onnx", ["conv2d/Conv2D_weights_fused_bn", "conv2d/Conv2D_bias_fused_bn"], undefined, "name-of-tool"],
    ["onnxruntime", ["ConvBnFusion_W_conv1.weight", "ConvBnFusion_BN_B_bn1.bias"], undefined, "name-of-tool"],
    ["TorchScript", ["onnx::Conv_32", "onnx::Conv_33"], undefined, "renamed-weight"],
    ["names of a layer", ["w", "model/batch_normalization/sub"], undefined, "name-of-layer"],
    ["plain weights", ["conv1.weight", "conv1.bias"], undefined, undefined],
    ["one weight", ["onnx::Conv_32"], undefined, undefined],
  ])("%s", async (_, names, rule, evidence) => {
    expect(await traceOf(names, rule)).toBe(evidence);
  });
});

describe("names", () => {
  async function nameOf(stem: readonly string[], node: string): Promise<string> {
    const graph = new Models();
    const arrays = Object.values(VECTORS).map((values, k) => graph.float(values, [3], stem[k]));
    graph.ops("BatchNormalization", [graph.input("x", ["n", 3]), ...arrays], {}, ["y"], { name: node });
    return (await find(graph.output("y", ["n", 3]).model())).layers[0].name;
  }

  test.each<[string, readonly string[], string, string]>([
    [
      "torch",
      ["layer1.bn1.weight", "layer1.bn1.bias", "layer1.bn1.running_mean", "layer1.bn1.running_var"],
      "/layer1/bn1/BatchNormalization",
      "layer1.bn1",
    ],
    [
      "PaddlePaddle",
      ["batch_norm2d_3.w_0", "batch_norm2d_3.b_0", "batch_norm2d_3.w_1", "batch_norm2d_3.w_2"],
      "p2o.BatchNormalization.3",
      "batch_norm2d_3",
    ],
    ["MXNet", ["bn0_gamma", "bn0_beta", "bn0_moving_mean", "bn0_moving_var"], "bn0_fwd", "bn0"],
    [
      "tf2onnx",
      [
        "model/bn/ReadVariableOp:0",
        "model/bn/ReadVariableOp_1:0",
        "model/bn/FusedBatchNormV3/ReadVariableOp:0",
        "model/bn/FusedBatchNormV3/ReadVariableOp_1:0",
      ],
      "model/bn/FusedBatchNormV3",
      "model/bn",
    ],
    ["arrays without names", ["a", "b", "c", "d"], "normal", "normal"],
    ["arrays without names in a module", ["a", "b", "c", "d"], "/features/features.1/BatchNormalization", "features/features.1"],
    ["nothing", ["a", "b", "c", "d"], "", "BatchNormalization_0"],
  ])("of %s", async (_, stem, node, expected) => {
    expect(await nameOf(stem, node)).toBe(expected);
  });

  test("are given once", async () => {
    const graph = new Models();
    const arrays = stored(graph);
    const x = graph.op("BatchNormalization", [graph.input("x", ["n", 3]), ...arrays]);
    graph.op("BatchNormalization", [x, ...arrays], {}, "y");
    const { layers } = await find(graph.output("y", ["n", 3]).model());
    // Both have the same arrays: their nodes tell them apart.
    expect(layers.map(({ name }) => name)).toEqual(["BatchNormalization_0", "BatchNormalization_1"]);
    for (const node of graph.nodes) node.name = "same";
    expect((await find(graph.model())).layers.map(({ name }) => name)).toEqual(["same", "same#2"]);
  });
});

test("of external data only what a layer is made of is read", async () => {
  const graph = new Models();
  const calls: string[] = [];
  const bytes = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  const outside = (name: string, dims: readonly number[]): string =>
    graph.initializer(
      create(TensorProtoSchema, {
        name,
        dims: dims.map(BigInt),
        dataType: ElementType.float32,
        dataLocation: EXTERNAL,
        externalData: [{ key: "location", value: name }],
      }),
    );
  const external = (path: string): Uint8Array => {
    calls.push(path);
    return bytes;
  };
  const x = graph.op("MatMul", [graph.input("x", ["n", 10]), outside("huge", [10, 3])]);
  const y = graph.op("BatchNormalization", [x, ...["gamma", "beta", "mean", "var"].map((name) => outside(name, [3]))]);
  graph.output(graph.op("Mul", [y, outside("table", [1000, 3])]), ["n", 3]);
  const source = { bytes: graph.bytes(), external };
  const { layers } = await find(readModel(source));
  expect([...layers[0].statistics.movingVariance!]).toEqual([1, 2, 3]);
  expect(calls.sort()).toEqual(["beta", "gamma", "mean", "var"]);
});

test("a branch that ends in a layer, and a layer whose input is a constant, are found", async () => {
  const graph = new Models();
  const branch = create(GraphProtoSchema, {
    initializer: Object.entries(VECTORS).map(([name, values]) => float(`bn.${name}`, values)),
    node: [
      create(NodeProtoSchema, {
        opType: "BatchNormalization",
        input: ["x", ...Object.keys(VECTORS).map((name) => `bn.${name}`)],
        output: ["inner"],
      }),
    ],
    output: [valueInfo("inner", ["n", 3])],
  });
  graph.input("x", ["n", 3]);
  const condition = graph.input("condition", [], "bool");
  graph.op("If", [condition], { then_branch: branch, else_branch: branch }, "z");
  graph.op("BatchNormalization", [graph.float([1, 2, 3], [1, 3]), ...stored(graph)], {}, "y");
  graph.output("z", ["n", 3]).output("y", ["n", 3]);
  const { layers } = await find(graph.model());
  expect(layers.map(({ scope, output }) => [scope, output.to[0]?.kind])).toEqual([
    ["", "output"],
    ["If_0/then_branch", "output"],
    ["If_0/else_branch", "output"],
  ]);
  expect(layers[0].input.from.kind).toBe("constant");
  expect(layers[1].input.from).toEqual({ kind: "outside", name: "x", operator: null });
});
