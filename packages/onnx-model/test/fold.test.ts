import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type FoldReport, find, fold, type OnnxModel, readModel, writeModel } from "../src/index.ts";
import { ElementType, EXTERNAL, GraphProtoSchema, NodeProtoSchema, TensorProtoSchema } from "../src/proto/index.ts";
import { floatTensor } from "../src/tensor/write-tensor.ts";
import { expectCode } from "./expect-code.ts";
import { attribute, float, Models, valueInfo } from "./model-builder.ts";
import { type Data, differences, largest, runModel } from "./run-model.ts";

/** Arrays of a layer with c channels, different in every channel. */
function layerOf(graph: Models, c: number, x: string, output?: string, name = "bn"): string {
  const of = (array: string, f: (k: number) => number): string =>
    graph.float(
      Float32Array.from({ length: c }, (_, k) => f(k)),
      [c],
      `${name}.${array}`,
    );
  const arrays = [
    of("weight", (k) => 1.5 - k),
    of("bias", (k) => 0.25 * k + 0.5),
    of("running_mean", (k) => k - 0.75),
    of("running_var", (k) => 0.5 + k),
  ];
  return graph.op("BatchNormalization", [x, ...arrays], { epsilon: { float: 1e-3 } }, output);
}

const values = (n: number): Float32Array => Float32Array.from({ length: n }, (_, k) => Math.sin(k + 1) * 0.5);
const data = (shape: readonly number[]): Data => ({ type: "float32", shape, data: values(shape.reduce((a, b) => a * b, 1)) });

/** Folds and checks that what is computed stays what it was. */
async function same(
  graph: Models,
  inputs: Record<string, Data>,
  outputs: readonly string[],
  opset = 15,
): Promise<{ report: FoldReport; model: OnnxModel }> {
  const model = graph.model(opset);
  const { model: folded, report } = await fold(model);
  const [before, after] = [await runModel(model, inputs, outputs), await runModel(readModel(writeModel(folded)), inputs, outputs)];
  for (const name of outputs) {
    expect(after[name].shape).toEqual(before[name].shape);
    expect(Math.max(...differences(before[name], after[name], 0))).toBeLessThan(2 ** -15 * Math.max(1, largest(before[name])));
  }
  return { report, model: folded };
}

const codes = ({ report }: { report: FoldReport }): string[] => [
  ...report.folded.map(({ direction }) => direction),
  ...report.kept.map(({ code }) => code),
];

describe("what stands between", () => {
  test.each<[string, (graph: Models, x: string) => string, string]>([
    ["Squeeze and Unsqueeze", (g, x) => g.op("Unsqueeze", [g.op("Squeeze", [x, g.int64([3])]), g.int64([3])]), "backward"],
    ["a Reshape that keeps the channels", (g, x) => g.op("Reshape", [x, g.int64([0, 4, -1])]), "backward"],
    ["an Identity", (g, x) => g.op("Identity", [x]), "backward"],
    ["a Cast to the same type", (g, x) => g.op("Cast", [x], { to: ElementType.float32 }), "backward"],
    ["an Add per channel", (g, x) => g.op("Add", [x, g.float([1, 2, 3, 4], [4, 1, 1])]), "backward"],
    ["an Add of one number", (g, x) => g.op("Add", [g.float([3], []), x]), "backward"],
    ["two Adds", (g, x) => g.op("Add", [g.op("Add", [g.float([3], []), x]), g.float([1, 2, 3, 4], [4, 1, 1])]), "backward"],
    ["an Add along another axis", (g, x) => g.op("Add", [x, g.float([1, 2, 3, 4, 5], [5, 1])]), "other-axis"],
    ["an Add of a picture", (g, x) => g.op("Add", [x, g.float(values(20), [1, 4, 5, 1])]), "other-axis"],
    [
      "a Cast to another type and back",
      (g, x) => g.op("Cast", [g.op("Cast", [x], { to: ElementType.float64 })], { to: ElementType.float32 }),
      "not-linear",
    ],
    ["a Relu", (g, x) => g.op("Relu", [x]), "not-linear"],
  ])("%s", async (_, between, expected) => {
    const graph = new Models();
    const x = graph.op("Conv", [graph.input("x", [2, 3, 5, 1]), graph.float(values(12), [4, 3, 1, 1]), graph.float([1, 2, 3, 4])]);
    layerOf(graph, 4, between(graph, x), "y");
    graph.output("y", []).graph.output[0].type = undefined;
    graph.graph.output[0] = valueInfo("y", ["a", "b", "c", "d"].slice(0, between.toString().includes("0, 4, -1") ? 3 : 4));
    expect(codes(await same(graph, { x: data([2, 3, 5, 1]) }, ["y"]))).toEqual([expected]);
  });

  test("a MatMul without bias gets an Add, one with a bias keeps its own", async () => {
    for (const biased of [false, true]) {
      const graph = new Models();
      const product = graph.op("MatMul", [graph.input("x", [5, 3]), graph.float(values(12), [3, 4])]);
      const x = biased ? graph.op("Add", [product, graph.float([1, 2, 3, 4])]) : product;
      layerOf(graph, 4, x, "y");
      const { report, model } = await same(graph.output("y", [5, 4]), { x: data([5, 3]) }, ["y"]);
      expect(report.folded[0].added).toBe(biased ? null : "Add");
      expect(model.proto.graph!.node.map(({ opType }) => opType)).toEqual(["MatMul", "Add"]);
    }
  });

  test("before a MatMul the shift becomes a bias: that of the Add behind it, or a new one", async () => {
    for (const biased of [false, true]) {
      const graph = new Models();
      const product = graph.op(
        "MatMul",
        [layerOf(graph, 3, graph.input("x", [5, 3])), graph.float(values(12), [3, 4])],
        {},
        biased ? undefined : "y",
      );
      if (biased) graph.op("Add", [graph.float([1, 2, 3, 4]), product], {}, "y");
      const { report, model } = await same(graph.output("y", [5, 4]), { x: data([5, 3]) }, ["y"]);
      expect(report.folded[0]).toMatchObject({ direction: "forward", added: biased ? null : "Add" });
      expect(model.proto.graph!.node.map(({ opType }) => opType)).toEqual(["MatMul", "Add"]);
    }
  });

  test("a constant on the left, before and after", async () => {
    const graph = new Models();
    const x = layerOf(graph, 3, graph.input("x", [2, 3, 5]), undefined, "first");
    const product = graph.op("MatMul", [graph.float(values(12), [4, 3]), x]);
    layerOf(graph, 4, product, "y", "second");
    const { report } = await same(graph.output("y", [2, 4, 5]), { x: data([2, 3, 5]) }, ["y"]);
    expect(report.folded.map(({ layer, direction }) => `${layer} ${direction}`).sort()).toEqual(["first forward", "second backward"]);
  });

  test("a ConvTranspose of 1x1 after the layer is even, any other is not", async () => {
    for (const kernel of [1, 3]) {
      const graph = new Models();
      const x = layerOf(graph, 4, graph.input("x", [2, 4, 5, 5]));
      graph.op("ConvTranspose", [x, graph.float(values(4 * 3 * kernel * kernel), [4, 3, kernel, kernel])], { group: 2 }, "y");
      graph.output("y", [2, 6, 4 + kernel, 4 + kernel]);
      expect(codes(await same(graph, { x: data([2, 4, 5, 5]) }, ["y"]))).toEqual([kernel === 1 ? "forward" : "uneven-shift"]);
    }
  });

  describe("and is read by others, too", () => {
    const chains = [[], ["Add"], ["Identity"], ["Add", "Identity"], ["Identity", "Add"], ["Add", "Identity", "Add"]];
    const cases = chains.flatMap((chain) => Array.from({ length: chain.length + 1 }, (_, at) => [chain, at] as const));
    test.each(cases)("through %j, after node %i", async (chain, at) => {
      for (const how of ["several-consumers", "graph-output"]) {
        const graph = new Models();
        let x = graph.op("Conv", [graph.input("x", [2, 3, 5, 1]), graph.float(values(12), [4, 3, 1, 1])]);
        let seen = x;
        for (const [k, type] of chain.entries()) {
          x = graph.op(type, type === "Add" ? [x, graph.float([1, 2, 3, 4], [4, 1, 1])] : [x]);
          if (k + 1 === at) seen = x;
        }
        const other = how === "graph-output" ? seen : graph.op("Relu", [seen]);
        layerOf(graph, 4, x, "y");
        graph.output("y", [2, 4, 5, 1]).output(other, [2, 4, 5, 1]);
        expect(codes(await same(graph, { x: data([2, 3, 5, 1]) }, ["y", other]))).toEqual([how]);
      }
    });
  });

  test("the mask of a Dropout is not what the Dropout is given", async () => {
    const graph = new Models();
    const x = graph.op("MatMul", [graph.input("x", [2, 4]), graph.float(values(16), [4, 4])]);
    const [, mask] = graph.ops("Dropout", [x], {}, ["kept", "mask"]);
    layerOf(graph, 4, graph.op("Cast", [mask], { to: ElementType.float32 }), "y");
    expect(codes(await same(graph.output("y", [2, 4]), { x: data([2, 4]) }, ["y"]))).toEqual(["not-linear"]);
  });

  test("a batch of matrices takes a layer that maps 0 to 0, and no other", async () => {
    for (const zero of [true, false]) {
      const graph = new Models();
      const arrays = [[1, 2, 3], zero ? [0, 0, 0] : [1, 0, 0], [0, 0, 0], [1, 2, 3]].map((each) => graph.float(each));
      const x = graph.op("BatchNormalization", [graph.op("Transpose", [graph.input("x", [2, 5, 3])], { perm: [0, 2, 1] }), ...arrays]);
      graph.op("MatMul", [graph.op("Transpose", [x], { perm: [0, 2, 1] }), graph.float(values(24), [2, 3, 4])], {}, "y");
      expect(codes(await same(graph.output("y", [2, 5, 4]), { x: data([2, 5, 3]) }, ["y"]))).toEqual([zero ? "forward" : "uneven-shift"]);
    }
  });

  test("a layer whose output is the weight of the node after it stays", async () => {
    const graph = new Models();
    const kernel = layerOf(graph, 3, graph.input("w", [4, 3, 1, 1]));
    graph.op("Conv", [graph.float(values(75), [1, 3, 5, 5]), kernel], {}, "y");
    expect(codes(await same(graph.output("y", [1, 4, 5, 5]), { w: data([4, 3, 1, 1]) }, ["y"]))).toEqual(["not-constant"]);
  });
});

describe("a Gemm whose C has rows", () => {
  test.each([[[5, 4]], [[5, 1]], [[1, 4]], [[4]], [[1]], [[]]])("C of %j", async (dims) => {
    const graph = new Models();
    const c = graph.float(values(dims.reduce((a, b) => a * b, 1)), dims);
    const x = graph.op("Gemm", [graph.input("x", [5, 3]), graph.float(values(12), [3, 4]), c], {
      alpha: { float: 0.5 },
      beta: { float: 3 },
    });
    layerOf(graph, 4, x, "y");
    expect(codes(await same(graph.output("y", [5, 4]), { x: data([5, 3]) }, ["y"]))).toEqual(["backward"]);
  });

  test.each([[[5, 4]], [[5, 1]], [[]]])("before the Gemm, C of %j", async (dims) => {
    const graph = new Models();
    const c = graph.float(values(dims.reduce((a, b) => a * b, 1)), dims);
    const x = layerOf(graph, 3, graph.input("x", [5, 3]));
    graph.op("Gemm", [x, graph.float(values(12), [4, 3]), c], { alpha: { float: 0.5 }, beta: { float: 3 }, transB: 1 }, "y");
    expect(codes(await same(graph.output("y", [5, 4]), { x: data([5, 3]) }, ["y"]))).toEqual(["forward"]);
  });
});

test("a C that beta 0 leaves out is left out, whatever it holds", async () => {
  const graph = new Models();
  const weights = [graph.float(values(12), [3, 4]), graph.float([Number.NaN, Number.POSITIVE_INFINITY, 1, 2])];
  layerOf(graph, 4, graph.op("Gemm", [graph.input("x", [5, 3]), ...weights], { beta: { float: 0 } }), "y");
  const { model, report } = await same(graph.output("y", [5, 4]), { x: data([5, 3]) }, ["y"]);
  expect(codes({ report })).toEqual(["backward"]);
  const { y } = await runModel(model, { x: data([5, 3]) }, ["y"]);
  expect(Array.from(y.data).every(Number.isFinite)).toBe(true);
});

test("arrays of a layer that a caller may replace are not folded away", async () => {
  const graph = new Models();
  layerOf(graph, 4, graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(12), [4, 3, 1, 1])]), "y");
  graph.input("bn.running_mean", [4]);
  const { report } = await fold(graph.output("y", [2, 4, 5, 5]).model());
  expect(codes({ report })).toEqual(["overridable"]);
});

describe("what others read stays as it was", () => {
  test("a weight of two nodes is copied, its other reader's bytes are untouched", async () => {
    const graph = new Models();
    const x = graph.input("x", [2, 3, 5, 5]);
    const weight = graph.float(values(36), [4, 3, 1, 3], "shared");
    const plain = graph.op("Conv", [x, weight], {}, "plain");
    layerOf(graph, 4, graph.op("Conv", [x, weight]), "y");
    graph.output(plain, [2, 4, 5, 3]).output("y", [2, 4, 5, 3]);
    const { report, model } = await same(graph, { x: data([2, 3, 5, 5]) }, ["y", "plain"]);
    expect(report.folded[0].copied).toEqual(["shared"]);
    expect(model.proto.graph!.initializer.find(({ name }) => name === "shared")).toBe(
      graph.model().proto && model.proto.graph!.initializer[0],
    );
    expect(model.proto.graph!.initializer[0].rawData).toEqual(graph.graph.initializer[0].rawData);
  });

  test("a weight and a bias of one node alone keep their names", async () => {
    const graph = new Models();
    const conv = graph.op("Conv", [
      graph.input("x", [2, 3, 5, 5]),
      graph.float(values(12), [4, 3, 1, 1], "w"),
      graph.float([1, 2, 3, 4], [4], "b"),
    ]);
    layerOf(graph, 4, conv, "y");
    const { model, report } = await same(graph.output("y", [2, 4, 5, 5]), { x: data([2, 3, 5, 5]) }, ["y"]);
    expect(model.proto.graph!.initializer.map(({ name }) => name)).toEqual(["w", "b"]);
    expect(report.folded[0]).toMatchObject({ copied: [], added: null });
  });

  test("arrays of a layer that is folded go, unless somebody else reads them", async () => {
    const graph = new Models();
    layerOf(graph, 4, graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(12), [4, 3, 1, 1])]), "y");
    graph.op("Identity", ["bn.running_mean"], {}, "mean");
    const { model } = await same(graph.output("y", [2, 4, 5, 5]).output("mean", [4]), { x: data([2, 3, 5, 5]) }, ["y", "mean"]);
    const names = model.proto.graph!.initializer.map(({ name }) => name);
    expect(names).toContain("bn.running_mean");
    expect(names).not.toContain("bn.running_var");
  });

  test("what nobody read before is not tidied away", async () => {
    const graph = new Models();
    layerOf(graph, 4, graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(12), [4, 3, 1, 1])]), "y");
    graph.float([1], [1], "unread");
    graph.op("Relu", ["y"], {}, "idle");
    const { model } = await same(graph.output("y", [2, 4, 5, 5]), { x: data([2, 3, 5, 5]) }, ["y"]);
    expect(model.proto.graph!.initializer.map(({ name }) => name)).toContain("unread");
    expect(model.proto.graph!.node.map(({ opType }) => opType)).toEqual(["Conv", "Relu"]);
  });

  test("the given model is not changed, and unknown fields stay", async () => {
    const graph = new Models();
    layerOf(graph, 4, graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(12), [4, 3, 1, 1])]), "y");
    graph.output("y", [2, 4, 5, 5]);
    graph.nodes[0].$unknown = [{ no: 900, wireType: 2, data: Uint8Array.of(1, 7) }];
    graph.graph.$unknown = [{ no: 901, wireType: 0, data: Uint8Array.of(5) }];
    const bytes = graph.bytes(15, { metadataProps: [{ key: "who", value: "we" }] });
    const model = readModel(bytes);
    const { model: folded } = await fold(model);
    expect(writeModel(model)).toEqual(bytes);
    const { proto } = readModel(writeModel(folded));
    expect(proto.metadataProps[0]).toMatchObject({ key: "who", value: "we" });
    expect(proto.graph!.node[0].$unknown).toEqual([{ no: 900, wireType: 2, data: Uint8Array.of(1, 7) }]);
    expect(proto.graph!.$unknown).toEqual([{ no: 901, wireType: 0, data: Uint8Array.of(5) }]);
  });

  test("before IR version 4 initializers are inputs, too: new ones as well, and none that is gone", async () => {
    const graph = new Models();
    layerOf(graph, 4, graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(12), [4, 3, 1, 1], "w")]), "y");
    for (const { name, dims } of graph.graph.initializer) graph.input(name, dims.map(Number));
    const { model: folded } = await fold(graph.output("y", [2, 4, 5, 5]).model(8, { irVersion: 3n }));
    const { input, initializer } = folded.proto.graph!;
    expect(input.map(({ name }) => name)).toEqual(["x", "w", "Conv_0_bias_folded"]);
    expect(initializer.map(({ name }) => name)).toEqual(["w", "Conv_0_bias_folded"]);
  });
});

describe("scopes", () => {
  test("a Conv in the main graph and a layer in the only branch that reads it", async () => {
    const graph = new Models();
    const conv = graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(9), [3, 3, 1, 1])]);
    const arrays = ["weight", "bias", "mean", "var"].map((name, k) => float(`bn.${name}`, [1 + k, 2, 3]));
    const then = create(GraphProtoSchema, {
      name: "then",
      initializer: arrays,
      node: [
        create(NodeProtoSchema, { opType: "BatchNormalization", input: [conv, ...arrays.map(({ name }) => name)], output: ["inner"] }),
      ],
      output: [valueInfo("inner", [2, 3, 5, 5])],
    });
    const otherwise = create(GraphProtoSchema, {
      name: "otherwise",
      node: [create(NodeProtoSchema, { opType: "Identity", input: ["x"], output: ["other"] })],
      output: [valueInfo("other", [2, 3, 5, 5])],
    });
    graph.op("If", [graph.input("condition", [], "bool")], { then_branch: then, else_branch: otherwise }, "y");
    graph.output("y", [2, 3, 5, 5]);
    for (const condition of [1, 0]) {
      const inputs = { x: data([2, 3, 5, 5]), condition: { type: "bool", shape: [], data: [condition] } };
      expect(codes(await same(graph, inputs, ["y"]))).toEqual(["backward"]);
    }
  });

  test("a function that is called once, with its arrays in nodes of its own", async () => {
    const graph = new Models();
    graph.ops("Block", [graph.input("x", [2, 3, 5, 5])], {}, ["y"], { domain: "local" });
    const constants = ["w", "weight", "bias", "mean", "var"].map((name, k) =>
      create(NodeProtoSchema, {
        opType: "Constant",
        output: [name],
        attribute: [attribute("value", k === 0 ? float("", values(9), [3, 3, 1, 1]) : float("", [k, 2, 3]))],
      }),
    );
    const node = [
      ...constants,
      create(NodeProtoSchema, { opType: "Conv", input: ["a", "w"], output: ["h"] }),
      create(NodeProtoSchema, { opType: "BatchNormalization", input: ["h", "weight", "bias", "mean", "var"], output: ["b"] }),
    ];
    const opsetImport = [
      { domain: "", version: 15n },
      { domain: "local", version: 1n },
    ];
    const body = { name: "Block", domain: "local", input: ["a"], output: ["b"], node, opsetImport };
    const model = graph.output("y", [2, 3, 5, 5]).model(15, { opsetImport, functions: [body] });
    const { model: folded, report } = await fold(model);
    expect(codes({ report })).toEqual(["backward"]);
    const inputs = { x: data([2, 3, 5, 5]) };
    const [before, after] = [await runModel(model, inputs, ["y"]), await runModel(readModel(writeModel(folded)), inputs, ["y"])];
    expect(Math.max(...differences(before.y, after.y, 0))).toBeLessThan(1e-5);
    expect(folded.proto.functions[0].node.map(({ opType }) => opType).sort()).toEqual(["Constant", "Constant", "Conv"]);
  });
});

describe("numbers", () => {
  test("a folded weight that its type cannot hold is refused", async () => {
    const graph = new Models();
    const half = (name: string, numbers: readonly number[], dims: readonly number[]): string =>
      graph.initializer(floatTensor(name, "float16", dims, Float32Array.from(numbers)));
    const conv = graph.op("Conv", [graph.input("x", [1, 1, 2, 2], "float16"), half("w", [60000, 1], [2, 1, 1, 1])]);
    const arrays = [half("gamma", [4, 1], [2]), half("beta", [0, 0], [2]), half("mean", [0, 0], [2]), half("variance", [1, 1], [2])];
    graph.op("BatchNormalization", [conv, ...arrays], {}, "y");
    const { report } = await fold(graph.output("y", [1, 2, 2, 2], "float16").model());
    expect(codes({ report })).toEqual(["overflow"]);
  });

  test("each weight is rounded once: the nearest float32 of the exact product", async () => {
    const graph = new Models();
    const conv = graph.op("Conv", [graph.input("x", [1, 1, 1, 1]), graph.float([1 + 2 ** -23, 0.1], [2, 1, 1, 1], "w")]);
    const arrays = [
      [3, 0.7],
      [0, 0],
      [0, 0],
      [1, 0.3],
    ].map((each) => graph.float(each));
    graph.op("BatchNormalization", [conv, ...arrays], { epsilon: { float: 2 ** -20 } }, "y");
    const { model } = await fold(graph.output("y", [1, 2, 1, 1]).model());
    const { rawData } = model.proto.graph!.initializer.find(({ name }) => name === "w")!;
    const f = Math.fround;
    const exact = (w: number, gamma: number, variance: number): number => f((w * gamma) / Math.sqrt(variance + 2 ** -20));
    expect([...new Float32Array(rawData.slice().buffer)]).toEqual([exact(1 + 2 ** -23, 3, 1), exact(f(0.1), f(0.7), f(0.3))]);
  });
});

describe("constants that broadcast x", () => {
  const spelledOut = (graph: Models, x: string, dims: readonly number[], output?: string): string =>
    graph.op("Add", [graph.op("Mul", [x, graph.float([2, 3, 4, 5], dims)]), graph.float([1, 2, 3, 4], dims)], {}, output);

  test("to more axes are no layer: the output keeps its shape", async () => {
    const graph = new Models();
    const product = graph.op("MatMul", [graph.input("x", [5, 3]), graph.float(values(12), [3, 4])]);
    spelledOut(graph, product, [1, 1, 4], "y");
    const { report } = await same(graph.output("y", [1, 5, 4]), { x: data([5, 3]) }, ["y"]);
    expect(report.folded).toEqual([]);
  });

  test("to more channels are not folded into the Conv behind them", async () => {
    const graph = new Models();
    const wide = spelledOut(graph, graph.input("x", [2, 1, 3, 3]), [1, 4, 1, 1]);
    graph.op("Conv", [wide, graph.float(values(8), [2, 4, 1, 1])], {}, "y");
    const { report } = await same(graph.output("y", [2, 2, 3, 3]), { x: data([2, 1, 3, 3]) }, ["y"]);
    expect(report.folded).toEqual([]);
  });
});

test("a constant between with more axes than its data moves the layer's axis away from the channels", async () => {
  const graph = new Models();
  // [4, 3, 5] -> [4, 4, 5] -> [1, 4, 4, 5]: the layer's four channels are the samples of the Conv.
  const conv = graph.op("Conv", [graph.input("x", [4, 3, 5]), graph.float(values(12), [4, 3, 1])]);
  layerOf(graph, 4, graph.op("Add", [conv, graph.float([3], [1, 1, 1, 1])]), "y");
  expect(codes(await same(graph.output("y", [1, 4, 4, 5]), { x: data([4, 3, 5]) }, ["y"]))).toEqual(["other-axis"]);
});

test("a folded model is folded no further", async () => {
  const graph = new Models();
  layerOf(graph, 4, graph.op("MatMul", [graph.input("x", [5, 3]), graph.float(values(12), [3, 4])]), "y");
  const { model } = await fold(graph.output("y", [5, 4]).model());
  const again = await fold(model);
  expect(again.report).toEqual({ folded: [], kept: [], float16: null });
  expect(writeModel(again.model)).toEqual(writeModel(model));
});

test("only the weights beside a layer are read", async () => {
  const graph = new Models();
  const calls: string[] = [];
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
  const conv = graph.op("Conv", [graph.input("x", [1, 3, 2, 2]), outside("w", [4, 3, 1, 1])]);
  const layer = layerOf(graph, 4, conv);
  const far = graph.op("Conv", [graph.op("Relu", [layer]), outside("far", [4, 4, 1, 1])], {}, "y");
  const model = readModel({
    bytes: graph.output(far, [1, 4, 2, 2]).bytes(),
    external: (path, _, length) => {
      calls.push(path);
      return new Uint8Array(length);
    },
  });
  const { model: folded } = await fold(model);
  expect(calls).toEqual(["w"]);
  const tensors = folded.proto.graph!.initializer;
  expect(tensors.map(({ name, dataLocation }) => [name, dataLocation])).toEqual([
    ["w", 0],
    ["far", EXTERNAL],
    ["Conv_0_bias_folded", 0],
  ]);
});

describe("options", () => {
  const graph = new Models();
  const first = layerOf(
    graph,
    4,
    graph.op("Conv", [graph.input("x", [2, 3, 5, 5]), graph.float(values(12), [4, 3, 1, 1])]),
    undefined,
    "first",
  );
  layerOf(graph, 4, graph.op("Conv", [graph.op("Relu", [first]), graph.float(values(16), [4, 4, 1, 1])]), "y", "second");
  graph.output("y", [2, 4, 5, 5]);

  test("layers by name", async () => {
    const { report, model } = await fold(graph.model(), { layers: ["second"] });
    expect(report.folded.map(({ layer }) => layer)).toEqual(["second"]);
    expect(report.kept).toEqual([]);
    expect((await find(model)).layers.map(({ name }) => name)).toEqual(["first"]);
  });

  test.each<[string, unknown]>([
    ["a layer that is not there", { layers: ["third"] }],
    ["a name for a list", { layers: "first" }],
    ["numbers", { layers: [1] }],
    ["an unknown option", { layer: ["first"] }],
  ])("%s is refused", async (_, options) => {
    await expectCode("invalid-argument", () => fold(graph.model(), options as never));
  });
});
