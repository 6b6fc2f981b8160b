import { describe, expect, test } from "vitest";
import { type FindingCode, inspect, type OnnxModel } from "../src/index.ts";
import type { NodeProto } from "../src/proto/index.ts";
import { MODELS, modelOf } from "./fixtures.ts";
import { Models } from "./model-builder.ts";

/** Findings that the makers of the models do not note. */
const OURS: ReadonlySet<FindingCode> = new Set(["runtime-fault", "foreign-epsilon", "unknown-operator", "newer-opset"]);

/** Whether an initializer of the node, behind whatever Identity, is an array of another BatchNormalization, too. */
function isShared(model: OnnxModel, name: string): boolean {
  const { node } = model.proto.graph!;
  const original = (value: string): string => {
    const identity = node.find(({ opType, output }) => opType === "Identity" && output[0] === value);
    return identity === undefined ? value : original(identity.input[0]);
  };
  const layers = node.filter(({ opType }) => opType === "BatchNormalization");
  const arraysOf = (each: NodeProto): string[] => each.input.slice(1).map(original);
  const own = layers.filter((each) => each.name === name).flatMap(arraysOf);
  return layers.some((each) => each.name !== name && arraysOf(each).some((array) => own.includes(array)));
}

describe("every model", () => {
  test.each(MODELS.map((known) => [known.id, known] as const))("%s: the findings and the fold that its maker expects", async (_, known) => {
    const model = modelOf(known);
    const report = await inspect(model);
    const wanted = known.layers.filter(({ form }) => form !== "folded" && form !== "instance-norm");
    for (const layer of report.layers) {
      const expected = wanted.find(({ graph, node }) => graph === layer.scope && node === layer.nodes[0])!;
      const codes = report.findings.filter((each) => each.layer === layer.name && !OURS.has(each.code)).map(({ code }) => code);
      // Exporters merge equal tensors on their own: that is for the file to say.
      const shared = isShared(model, layer.nodes[0]) ? ["shared-tensor"] : [];
      // A file does not tell that its maker had wanted training mode.
      const visible = expected.findings.filter((code) => code !== "exported-as-inference");
      expect([...new Set(codes)].sort(), layer.name).toEqual([...new Set([...visible, ...shared])].sort());
      const { possible, reason, direction, into } = expected.fold;
      const isVague = reason === "no-neighbour" || reason === "not-linear";
      // A layer that can only be folded after another one was is refused for now.
      if (!possible && !isVague) expect(layer.fold).toMatchObject({ possible, code: reason });
      else if (!possible) expect(layer.fold).toMatchObject({ possible, code: expect.stringMatching(/^no-neighbour|not-linear$/) });
      else if (layer.fold.possible) expect(layer.fold).toMatchObject({ direction, into });
    }
    // Plain data: nothing is lost on the way through JSON.
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    for (const { sentence } of report.findings) expect(sentence).toMatch(/^[A-Z0-9a-z].*\.$/);
  });
});

type Arrays = Readonly<Partial<Record<"gamma" | "beta" | "mean" | "variance", readonly number[]>>>;

/** The codes of a layer behind a Relu. */
async function codesOf(arrays: Arrays, attributes = {}, producerName = ""): Promise<readonly string[]> {
  return (await findingsOf(arrays, attributes, producerName)).map(({ code }) => code);
}

async function findingsOf(arrays: Arrays, attributes = {}, producerName = "") {
  const { gamma = [1, 1, 1, 1], beta = [0, 1, 2, 3], mean = [0, -1, 2, 3], variance = [1, 2, 3, 4] } = arrays;
  const graph = new Models();
  const inputs = [gamma, beta, mean, variance].map((values, k) => graph.float(values, [values.length], `bn.${k}`));
  graph.op("BatchNormalization", [graph.op("Relu", [graph.input("x", ["n", 4])]), ...inputs], attributes, "y");
  return (await inspect(graph.output("y", ["n", 4]).model(15, { producerName }))).findings;
}

describe("each threshold, from both sides", () => {
  const e = 2 ** -10;
  const epsilon = { epsilon: { float: e } };
  test.each<[string, Arrays, object, readonly string[]]>([
    ["nothing", {}, {}, []],
    ["mean 0, variance 1", { mean: [0, 0, 0, 0], variance: [1, 1, 1, 1] }, {}, ["never-trained"]],
    ["one channel moved", { mean: [0, 0, 0, 0], variance: [1, 1, 1.0000001, 1] }, {}, []],
    ["a variance that is just lost", { variance: [1, 2, 3, e * 2 ** -24.01] }, epsilon, ["tiny-variance", "float16-unsafe"]],
    ["one that is just not", { variance: [1, 2, 3, e * 2 ** -14] }, epsilon, []],
    ["a variance of 0", { variance: [1, 2, 3, 0] }, epsilon, ["tiny-variance", "dead-channel"]],
    ["float16's largest", { variance: [1, 2, 3, 65504] }, epsilon, []],
    ["beyond it", { variance: [1, 2, 3, 65505] }, epsilon, ["float16-unsafe"]],
    ["a mean beyond it", { mean: [-70000, 2, 3, 4] }, epsilon, ["float16-unsafe", "float16-unsafe"]],
    ["a variance that float16 rounds up", { variance: [1, 2, 3, 2 ** -25] }, { epsilon: { float: 2 ** -13 } }, []],
    ["one that it rounds to 0", { variance: [1, 2, 3, 2 ** -25.01] }, { epsilon: { float: 2 ** -13 } }, ["float16-unsafe"]],
    ["gamma 0", { gamma: [1, 0, 1, 1] }, epsilon, ["dead-channel"]],
    ["gamma just alive", { gamma: [1, 2 ** -19, 1, 1] }, epsilon, []],
    ["a gain over a thousand", { gamma: [1, 1500, 1, 1] }, epsilon, ["exploding-channel"]],
    ["a gain under a thousand", { gamma: [1, 1400, 1, 1] }, epsilon, []],
    ["a negative variance", { variance: [1, -2, 3, 4] }, epsilon, ["negative-variance"]],
    ["a NaN", { beta: [1, Number.NaN, 3, 4] }, epsilon, ["non-finite"]],
    ["exchanged", { mean: [4.1, 0.7, 12, 8], variance: [0.02, 0.3, 0.08, 0.1] }, epsilon, ["exchanged-statistics-suspected"]],
    ["the same with one negative mean", { mean: [4.1, -0.7, 12, 8], variance: [0.02, 0.3, 0.08, 0.1] }, epsilon, []],
    ["the same with an offset for spread", { mean: [14.1, 10.7, 12, 8], variance: [0.02, 0.3, 0.08, 0.1] }, epsilon, []],
    ["means near 0", { mean: [0.1, 0.2, 0.1, 0.3], variance: [0.02, 0.3, 0.08, 0.1] }, epsilon, []],
    ["momentum 1", {}, { momentum: { float: 1 } }, ["momentum-1"]],
  ])("%s", async (_, arrays, attributes, expected) => {
    expect(await codesOf(arrays, attributes)).toEqual(expected);
  });

  test.each<[string, number, readonly string[]]>([
    ["pytorch", 1e-5, []],
    ["pytorch", 1e-3, ["foreign-epsilon"]],
    ["pytorch", 1e-4, []],
    ["tf2onnx", 1e-3, []],
    ["tf2onnx", 1e-5, ["foreign-epsilon"]],
    ["PaddlePaddle", 1e-3, ["foreign-epsilon"]],
    ["", 1e-3, []],
  ])("a file from %s with epsilon %f", async (producer, float, expected) => {
    expect(await codesOf({}, { epsilon: { float } }, producer)).toEqual(expected);
  });
});

test("a finding names the channels, at most eight, and counts all", async () => {
  const graph = new Models();
  const ramp = Float32Array.from({ length: 20 }, (_, k) => k - 12);
  const arrays = [ramp, ramp, ramp, ramp].map((values) => graph.float(values));
  graph.op("BatchNormalization", [graph.input("x", ["n", 20]), ...arrays], {}, "y");
  const { findings } = await inspect(graph.output("y", ["n", 20]).model());
  const negative = findings.find(({ code }) => code === "negative-variance");
  expect(negative).toMatchObject({ channels: [0, 1, 2, 3, 4, 5, 6, 7], count: 12, severity: "error", layer: "BatchNormalization_0" });
  expect(negative?.sentence).toBe("The variance is -12 in channel 0: no data has that (12 of 20 channels).");
});

describe("known faults of runtimes", () => {
  async function faultsOf(id: string): Promise<readonly (string | null)[]> {
    const { findings } = await inspect(modelOf(MODELS.find((known) => known.id === id)!));
    return findings.filter(({ code }) => code === "runtime-fault").map(({ reference }) => reference);
  }
  const issue = "https://github.com/microsoft/onnxruntime/issues/29790";

  test.each<[string, readonly (string | null)[]]>([
    // Both layers have equal arrays and running outputs that nobody reads.
    ["handmade/training-equal-initializers", [issue, issue]],
    ["handmade/training-distinct-initializers", []],
    ["handmade/training-running-outputs", []],
    ["handmade/opset-15-training-one-output", [null]],
    ["handmade/conv-training-bn", [null]],
    ["handmade/conv-bn", []],
  ])("%s", async (id, expected) => {
    expect((await faultsOf(id)).slice(0, 2)).toEqual(expected);
  });
});

test("the model itself: producer, versions, nodes, and what is newer than this package", async () => {
  const graph = new Models();
  graph.ops("FusedBatchNorm", [graph.input("x", ["n", 3])], {}, ["y"], { domain: "com.example" });
  const report = await inspect(graph.output("y", ["n", 3]).model(30, { producerName: "maker", producerVersion: "2.1" }));
  expect(report.model).toEqual({ producer: "maker", producerVersion: "2.1", irVersion: 8, opset: 30, nodes: 1 });
  expect(report.findings.map(({ code, layer }) => [code, layer])).toEqual([
    ["unknown-operator", null],
    ["newer-opset", null],
  ]);
});
