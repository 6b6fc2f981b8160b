import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type FreezeOptions, find, freeze, inspect, type OnnxModel, readModel, writeModel } from "../src/index.ts";
import { GraphProtoSchema, NodeProtoSchema } from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { bytesOf, MODELS, modelOf } from "./fixtures.ts";
import { attribute, float, Models, valueInfo } from "./model-builder.ts";
import { differences, runModel } from "./run-model.ts";

const ARRAYS = { scale: [1.5, -0.5, 2], bias: [0.25, 2, -1], mean: [0.75, -1.25, 3], variance: [4, 0.5, 1] };
const x = { type: "float32", shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, k) => Math.sin(k) * 3) };

/** x -> BatchNormalization in training mode -> y, and whatever `more` adds. */
function training(outputs: readonly string[], opset: number, more: (graph: Models) => void = () => {}): OnnxModel {
  const graph = new Models();
  const inputs = [graph.input("x", [4, 3]), ...Object.entries(ARRAYS).map(([name, values]) => graph.float(values, [3], name))];
  graph.ops("BatchNormalization", inputs, opset >= 14 ? { training_mode: 1 } : {}, outputs);
  graph.output("y", [4, 3]);
  more(graph);
  return graph.model(opset);
}

/** y as the moving statistics give it. */
const truth = Float64Array.from(x.data, (value, k) => {
  const c = k % 3;
  return (ARRAYS.scale[c] * (value - ARRAYS.mean[c])) / Math.sqrt(ARRAYS.variance[c] + Math.fround(1e-5)) + ARRAYS.bias[c];
});

async function expectFrozen(model: OnnxModel): Promise<void> {
  const again = readModel(writeModel(model));
  expect((await find(again)).layers.map(({ mode }) => mode)).toEqual(["inference"]);
  const { y } = await runModel(again, { x }, ["y"]);
  expect(Math.max(...differences(y, { ...y, data: truth }, 0))).toBeLessThan(1e-5);
}

describe("every model", () => {
  test.each(MODELS.map((known) => [known.id, known] as const))(
    "%s: no layer is in training mode but those that have no statistics",
    async (_, known) => {
      const model = modelOf(known);
      const { model: frozen, report } = await freeze(model, { all: true });
      const modes = (await find(frozen)).layers.filter(({ mode }) => mode === "training");
      expect(modes.map(({ name }) => name).sort()).toEqual(report.kept.map(({ layer }) => layer).sort());
      for (const { code } of report.kept) expect(code).toBe("no-statistics");
      expect(report.frozen.length + report.unchanged.length + report.kept.length).toBe((await find(model)).layers.length);
      expect((await inspect(frozen)).findings.filter(({ code }) => code === "training-mode")).toHaveLength(report.kept.length);
      if (report.frozen.length === 0) expect(Buffer.compare(writeModel(frozen), bytesOf(known))).toBe(0);
    },
  );
});

describe("the outputs of the node", () => {
  test("nobody reads the running ones: they go", async () => {
    const { model, report } = await freeze(training(["y", "running_mean", "running_var"], 15), { all: true });
    expect(report.frozen).toEqual([{ layer: "BatchNormalization_0", scope: "", removedOutputs: [] }]);
    expect(model.proto.graph!.node[0].output).toEqual(["y"]);
    expect(model.proto.graph!.node[0].attribute).toEqual([]);
    await expectFrozen(model);
  });

  test.each([9, 13])("opset %i, where their number is the mode", async (opset) => {
    const { model } = await freeze(training(["y", "m", "v", "sm", "sv"], opset), { all: true });
    expect(model.proto.graph!.node[0].output).toEqual(["y"]);
    await expectFrozen(model);
  });

  test("opset 6, where is_test is the mode", async () => {
    const { model } = await freeze(training(["y", "m", "v", "sm", "sv"], 6), { all: true });
    expect((await find(model)).layers[0].mode).toBe("inference");
    expect(model.proto.graph!.node[0].attribute).toMatchObject([{ name: "is_test", i: 1n }]);
  });

  test("the graph's outputs of running statistics go, directly and through Identity", async () => {
    const model = training(["y", "running_mean", "running_var"], 15, (graph) => {
      graph.output("running_mean", [3]);
      graph.output(graph.op("Identity", ["running_var"], {}, "kept_var"), [3]);
    });
    const { model: frozen, report } = await freeze(model, { all: true });
    expect(report.frozen[0].removedOutputs).toEqual(["running_mean", "kept_var"]);
    expect(frozen.proto.graph!.output.map(({ name }) => name)).toEqual(["y"]);
    expect(frozen.proto.graph!.node.map(({ opType }) => opType)).toEqual(["BatchNormalization"]);
    await expectFrozen(frozen);
  });

  test("a node that reads a running statistic gets the moving one", async () => {
    const model = training(["y", "running_mean", "running_var"], 15, (graph) => {
      graph.output(graph.op("Mul", ["running_mean", "running_var"], {}, "product"), [3]);
    });
    const { model: frozen } = await freeze(model, { all: true });
    await expectFrozen(frozen);
    const { product } = await runModel(readModel(writeModel(frozen)), { x }, ["product"]);
    expect([...Array.from(product.data)]).toEqual(ARRAYS.mean.map((mean, c) => Math.fround(mean * ARRAYS.variance[c])));
  });

  test("what reads the batch's own statistics keeps the layer as it is", async () => {
    const model = training(["y", "m", "v", "saved_mean", "saved_var"], 9, (graph) => graph.output("saved_mean", [3]));
    const { model: same, report } = await freeze(model, { all: true });
    expect(report.kept).toMatchObject([{ layer: "BatchNormalization_0", code: "saved-statistics" }]);
    expect(writeModel(same)).toEqual(writeModel(model));
  });

  test("a running statistic that is an output of a branch keeps the layer as it is", async () => {
    const graph = new Models();
    graph.input("x", [4, 3]);
    const arrays = Object.entries(ARRAYS).map(([name, values]) => float(name, values));
    const input = ["x", ...arrays.map(({ name }) => name)];
    const branch = create(GraphProtoSchema, {
      name: "branch",
      initializer: arrays,
      node: [
        create(NodeProtoSchema, {
          opType: "BatchNormalization",
          input,
          output: ["a", "b", "c"],
          attribute: [attribute("training_mode", 1)],
        }),
      ],
      output: [valueInfo("a", [4, 3]), valueInfo("b", [3])],
    });
    graph.ops("If", [graph.input("condition", [], "bool")], { then_branch: branch, else_branch: branch }, ["y", "z"]);
    const { report } = await freeze(graph.output("y", [4, 3]).model(), { all: true });
    expect(report.kept.map(({ code }) => code)).toEqual(["branch-output", "branch-output"]);
  });
});

test("only the layers that are named", async () => {
  const known = MODELS.find(({ id }) => id === "torch/resnet18-torchscript-preserve-mixed")!;
  const model = modelOf(known);
  const names = (await find(model)).layers.filter(({ mode }) => mode === "training").map(({ name }) => name);
  const { model: frozen, report } = await freeze(model, { layers: names.slice(0, 2) });
  expect(report.frozen.map(({ layer }) => layer)).toEqual(names.slice(0, 2));
  const left = (await find(frozen)).layers.filter(({ mode }) => mode === "training").map(({ name }) => name);
  expect(left).toEqual(names.slice(2));
});

test.each<[string, unknown]>([
  ["nothing said", {}],
  ["no options", undefined],
  ["both", { all: true, layers: [] }],
  ["all: false", { all: false }],
  ["a name for a list", { layers: "bn" }],
  ["a layer that is not there", { layers: ["other"] }],
  ["an unknown option", { all: true, force: true }],
])("refused: %s", async (_, options) => {
  await expectCode("invalid-argument", () => freeze(training(["y", "m", "v"], 15), options as FreezeOptions));
});
