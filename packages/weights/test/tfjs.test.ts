import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readWeights } from "../src/index.ts";
import { readWeightsFile } from "../src/node.ts";
import { expectLayers, expectValues } from "./expect-layers.ts";
import { pathOf, type TrueLayer, truthOf } from "./files.ts";

test("a model that the converter made", async () => {
  const file = await readWeightsFile(pathOf("tfjs/layers/model.json"));
  expect(file.format).toBe("tfjs-layers-model");
  expectLayers(file.layers, truthOf("tfjs/layers"));
  for (const layer of file.layers) expect(layer).toMatchObject({ framework: "tfjs", recognizedBy: "config", assumed: [] });
});

test("a nested model that tfjs saved, in shards of any length", async () => {
  expectLayers((await readWeightsFile(pathOf("tfjs/nested.model.json"))).layers, truthOf("tfjs/nested"));
});

test("the digits model of backend-tfjs", async () => {
  const folder = new URL("../../backend-tfjs/test/fixtures/digits/", import.meta.url);
  const { layers } = await readWeightsFile(fileURLToPath(new URL("model.json", folder)));
  expect(layers.map(({ name, config }) => [name, config?.trainable])).toEqual([
    ["first", true],
    ["middle", false],
    ["last", true],
  ]);
  // The weights of the first layer begin after the kernel [3, 3, 1, 8].
  const bytes = new Uint8Array(await readFile(new URL("weights.bin", folder)));
  const values = new Float32Array(bytes.buffer, 72 * 4, 4 * 8);
  expect(layers[0].state?.parameters.gamma).toEqual(values.slice(0, 8));
  expect(layers[0].state?.statistics.movingVariance).toEqual(values.slice(24));
});

test("float16 weights are widened", async () => {
  const { layers } = await readWeightsFile(pathOf("tfjs/layers.float16/model.json"));
  expect(new Set(layers.map(({ storedAs }) => storedAs))).toEqual(new Set(["float16"]));
  expect(close(layers[0].state!.statistics.movingMean, truthOf("tfjs/layers")[0].movingMean, 2 ** -11)).toBe(true);
});

test("quantized weights are what tfjs makes of them", async () => {
  const { layers } = await readWeightsFile(pathOf("tfjs/layers.uint8/model.json"));
  expect(layers[0].storedAs).toBe("uint8, quantized");
  const model = JSON.parse(await readFile(pathOf("tfjs/layers.uint8/model.json"), "utf8"));
  const weights: { name: string; quantization: { min: number; scale: number } }[] = model.weightsManifest[0].weights;
  const { min, scale } = weights.find(({ name }) => name === "norm/moving_mean")!.quantization;
  for (const value of layers[0].state!.statistics.movingMean) {
    // A whole number of steps from the minimum, rounded to float32.
    expect(value).toBe(Math.fround(Math.round((value - min) / scale) * scale + min));
  }
  // Half a step, and the float32 rounding of a number below 4.
  expect(close(layers[0].state!.statistics.movingMean, truthOf("tfjs/layers")[0].movingMean, scale / 2 + 2 ** -22)).toBe(true);
});

test("the converter folds every layer of a graph model, and says so by names alone", async () => {
  const { format, layers } = await readWeightsFile(pathOf("tfjs/graph/model.json"));
  expect(format).toBe("tfjs-graph-model");
  expect(layers.map(({ name, state }) => [name, state]).sort()).toEqual([
    ["after_convolution", null],
    ["after_dense", null],
    ["first", null],
  ]);
  for (const { reason } of layers) expect(reason).toMatchObject({ code: "cannot-convert" });
});

test("a node FusedBatchNorm whose inputs are weights has all four arrays", async () => {
  const constants = ["gamma", "beta", "mean", "variance"].map((name) => ({ name: `bn/${name}`, shape: [2], dtype: "float32" }));
  const nodes = constants.map(({ name }) => ({ name, op: "Const" }));
  const model = {
    format: "graph-model",
    modelTopology: {
      node: [
        ...nodes,
        { name: "bn/read", op: "Identity", input: ["bn/mean"] },
        {
          name: "bn/FusedBatchNormV3",
          op: "FusedBatchNormV3",
          input: ["x", "bn/gamma", "bn/beta", "bn/read", "bn/variance", "^x"],
          attr: { epsilon: { f: 0.25 }, data_format: { s: btoa("NCHW") } },
        },
        { name: "train/FusedBatchNormV3", op: "FusedBatchNormV3", input: ["x", "bn/gamma", "bn/beta", "x", "x"], attr: {} },
      ],
    },
    weightsManifest: [{ paths: ["w.bin"], weights: constants }],
  };
  const bytes = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
  const { layers } = await readWeights(new TextEncoder().encode(JSON.stringify(model)), { readCompanion: async () => bytes });
  const truth: TrueLayer = { name: "bn", gamma: [1, 2], beta: [3, 4], movingMean: [5, 6], movingVariance: [7, 8] };
  expectValues(layers[0], truth);
  expect(layers[0]).toMatchObject({
    name: "bn",
    config: { epsilon: 0.25, axis: 1 },
    assumed: ["momentum", "center", "scale", "trainable"],
  });
  expect(layers[1]).toMatchObject({ name: "train", state: null, assumed: ["epsilon", "momentum", "center", "scale", "trainable"] });
  expect(layers[1].reason?.message).toContain("moving mean");
});

function close(values: Float32Array, wanted: readonly number[], bound: number): boolean {
  return values.every((value, index) => Math.abs(value - wanted[index]) <= bound * Math.max(1, Math.abs(wanted[index])));
}
