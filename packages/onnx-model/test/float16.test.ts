import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { fold, type OnnxModel, readModel, writeModel } from "../src/index.ts";
import { ElementType, EXTERNAL, GraphProtoSchema, NodeProtoSchema, TensorProtoSchema } from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { type KnownModel, MODELS, modelOf, tensorsOf } from "./fixtures.ts";
import { Models, valueInfo } from "./model-builder.ts";
import { type Data, differences, largest, runModel } from "./run-model.ts";

const values = (n: number): Float32Array => Float32Array.from({ length: n }, (_, k) => Math.sin(k + 1) * 0.5);
const data = (shape: readonly number[]): Data => ({ type: "float32", shape, data: values(shape.reduce((a, b) => a * b, 1)) });

function inputsOf(known: KnownModel): Record<string, Data> {
  const tensors = tensorsOf(known.tensors);
  return Object.fromEntries(
    Object.entries(known.inputs).map(([name, input]) => [name, { ...input, data: tensors.get(`input/${name}`)!.data }]),
  );
}

async function half(model: OnnxModel) {
  const { model: converted, report } = await fold(model, { float16: true });
  return { model: readModel(writeModel(converted)), report: report.float16! };
}

const operators = ({ proto }: OnnxModel): string[] => proto.graph!.node.map(({ opType }) => opType);

describe("every model runs in float16 as well as float16 can", () => {
  const runnable = MODELS.filter(
    ({ onnxruntime: { disabled }, inputs }) =>
      typeof disabled === "number" && Object.values(inputs).every(({ type }) => type !== "float16"),
  );
  // Bad numbers on purpose, whose outputs are not finite or exceed float16.
  const sound = runnable.filter(({ id }) => !/non-finite|exploding|large-mean|negative|external/.test(id));
  test.each(sound.map((known) => [known.id, known] as const))("%s", async (_, known) => {
    const { model, report } = await half(modelOf(known));
    const outputs = Object.keys(known.outputs);
    const results = await runModel(model, inputsOf(known), outputs);
    for (const name of outputs) {
      expect(results[name].type).toBe("float32");
      const truth = { ...results[name], data: tensorsOf(known.tensors).get(`output/${name}`)!.data };
      expect(Array.from(results[name].data).every(Number.isFinite)).toBe(true);
      // Some twenty layers, each a rounding of 2^-11 of values that grow and shrink on the way.
      expect(Math.max(...differences(results[name], truth, 0))).toBeLessThan(2 ** -5 * Math.max(1, largest(truth)));
    }
    expect(operators(model).filter((each) => each === "Cast").length).toBeGreaterThanOrEqual(report.casts);
  });
});

/** x -> Conv -> layer -> Relu -> y. */
function plain(variance: readonly number[]): Models {
  const graph = new Models();
  const conv = graph.op("Conv", [
    graph.input("x", [1, 3, 4, 4]),
    graph.float(values(12), [4, 3, 1, 1], "w"),
    graph.float([1, 2, 3, 4], [4], "b"),
  ]);
  const arrays = [[1, 2, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0], variance].map((each) => graph.float(each));
  graph.op("Relu", [graph.op("BatchNormalization", [conv, ...arrays])], {}, "y");
  return graph.output("y", [1, 4, 4, 4]);
}

test("variances that float16 cannot hold are folded before, and the result is right", async () => {
  const graph = plain([9.79e7, 7e4, 66000, 1e-30]);
  const { model, report } = await half(graph.model());
  expect(operators(model)).toEqual(["Cast", "Conv", "Relu", "Cast"]);
  expect(report).toMatchObject({ converted: { Conv: 1, Relu: 1 }, kept: {}, casts: 2, refused: [] });
  const inputs = { x: data([1, 3, 4, 4]) };
  const [before, after] = [await runModel(graph.model(), inputs, ["y"]), await runModel(model, inputs, ["y"])];
  expect(Math.max(...differences(before.y, after.y, 0))).toBeLessThan(2 ** -9 * largest(before.y));
});

test("inputs and outputs stay float32", async () => {
  const { model } = await half(plain([1, 2, 3, 4]).model());
  const ends = [...model.proto.graph!.input, ...model.proto.graph!.output];
  const types = ends.map(({ type }) => (type?.value.case === "tensorType" ? type.value.value.elemType : null));
  expect(types).toEqual([ElementType.float32, ElementType.float32]);
});

test("a layer that is not folded stays in float32, between Casts", async () => {
  const graph = new Models();
  const conv = (x: string): string => graph.op("Conv", [x, graph.float(values(16), [4, 4, 1, 1])]);
  const arrays = [
    [1, 2, 3, 4],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [1e6, 1, 1, 1],
  ].map((each) => graph.float(each));
  const layer = graph.op("BatchNormalization", [graph.op("Relu", [conv(graph.input("x", [1, 4, 2, 2]))]), ...arrays]);
  graph.output(conv(graph.op("Relu", [layer])), [1, 4, 2, 2]);
  const { model, report } = await half(graph.model());
  expect(operators(model)).toEqual(["Cast", "Conv", "Relu", "Cast", "BatchNormalization", "Cast", "Relu", "Conv", "Cast"]);
  expect(report.kept).toEqual({ BatchNormalization: 1 });
});

test("a constant that float16 cannot hold keeps its node in float32: nothing is clamped", async () => {
  const graph = new Models();
  const x = graph.op("Mul", [graph.op("Relu", [graph.input("x", [4])]), graph.float([1, 2, 70000, 4], [4], "large")]);
  graph.output(graph.op("Relu", [x], {}, "y"), [4]);
  const { model, report } = await half(graph.model());
  expect(report.refused).toEqual([{ node: "Mul_1", operator: "Mul", why: "Float16 does not hold 70000 of large." }]);
  expect(operators(model)).toEqual(["Cast", "Relu", "Cast", "Mul", "Cast", "Relu", "Cast"]);
});

test("what each tensor lost is counted", async () => {
  const graph = new Models();
  graph.op("Add", [graph.op("Relu", [graph.input("x", [6])]), graph.float([1, 0.1, 1e-9, 1e-6, 2 ** -14, 0], [6], "c")], {}, "y");
  const { report } = await half(graph.output("y", [6]).model());
  expect(report.losses).toEqual([
    { tensor: "c", elements: 6, vanished: 1, subnormal: 1, worst: { index: 3, before: Math.fround(1e-6), after: 17 * 2 ** -24 } },
  ]);
});

test("a tensor that float32 nodes read, too, is there twice; one that only float16 nodes read once", async () => {
  const graph = new Models();
  const shared = graph.float([1, 2, 3, 4], [4], "shared");
  const sum = graph.op("Add", [graph.op("Relu", [graph.input("x", [4])]), shared]);
  graph.output(graph.op("Pow", [sum, shared], {}, "y"), [4]);
  const { model } = await half(graph.model());
  expect(model.proto.graph!.initializer.map(({ name, dataType }) => [name, dataType])).toEqual([
    ["shared", ElementType.float32],
    ["shared_float16", ElementType.float16],
  ]);
  const alone = await half(plain([1, 2, 3, 4]).model());
  expect(alone.model.proto.graph!.initializer.every(({ dataType }) => dataType === ElementType.float16)).toBe(true);
});

test("a branch reads its outer values in float32", async () => {
  const graph = new Models();
  const relu = graph.op("Relu", [graph.input("x", [4])]);
  const branch = create(GraphProtoSchema, {
    name: "branch",
    node: [create(NodeProtoSchema, { opType: "Exp", input: [relu], output: ["inner"] })],
    output: [valueInfo("inner", [4])],
  });
  graph.op("If", [graph.input("condition", [], "bool")], { then_branch: branch, else_branch: branch }, "y");
  graph.output("y", [4]);
  const inputs = { x: data([4]), condition: { type: "bool", shape: [], data: [1] } };
  const { model } = await half(graph.model());
  const [before, after] = [await runModel(graph.model(), inputs, ["y"]), await runModel(model, inputs, ["y"])];
  expect(Math.max(...differences(before.y, after.y, 0))).toBeLessThan(2 ** -9);
});

test("what is not float32 is left alone: indices, shapes, other types", async () => {
  const graph = new Models();
  const x = graph.op("Relu", [graph.input("x", [2, 4])]);
  const picked = graph.op("Gather", [graph.op("Reshape", [x, graph.int64([4, 2])]), graph.int64([0, 2])], { axis: 0 });
  const double = graph.op("Add", [graph.input("d", [2], "float64"), graph.input("e", [2], "float64")]);
  graph.output(picked, [2, 2]).output(double, [2], "float64");
  const { report } = await half(graph.model());
  expect(report).toMatchObject({ converted: { Relu: 1, Reshape: 1, Gather: 1 }, kept: { Add: 1 }, casts: 2 });
});

test("external weights are read, and are in the model then", async () => {
  const graph = new Models();
  const externalData = [{ key: "location", value: "w" }];
  const w = create(TensorProtoSchema, { name: "w", dims: [4n], dataType: ElementType.float32, dataLocation: EXTERNAL, externalData });
  graph.op("Mul", [graph.input("x", [4]), graph.initializer(w)], {}, "y");
  const external = { w: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) };
  const { model } = await half(readModel({ bytes: graph.output("y", [4]).bytes(), external }));
  expect(model.proto.graph!.initializer.map(({ name, dataLocation }) => [name, dataLocation])).toEqual([["w_float16", 0]]);
  const { y } = await runModel(model, { x: { type: "float32", shape: [4], data: [1, 1, 1, 1] } }, ["y"]);
  expect([...Array.from(y.data)]).toEqual([1, 2, 3, 4]);
});

test("float16 that is no boolean is refused", async () => {
  await expectCode("invalid-argument", () => fold(plain([1, 2, 3, 4]).model(), { float16: "yes" as never }));
});
