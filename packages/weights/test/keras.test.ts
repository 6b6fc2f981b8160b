import { expect, test } from "vitest";
import { readWeightsFile } from "../src/node.ts";
import { expectLayers, expectValues } from "./expect-layers.ts";
import { pathOf, truthOf } from "./files.ts";

const layersOf = async (name: string) => (await readWeightsFile(pathOf(name))).layers;

test.each([
  ["keras/functional.keras", "keras/functional", "keras"],
  ["keras/functional.h5", "keras/functional", "legacy-h5"],
  ["keras/images.keras", "keras/images", "keras"],
  ["keras/images.compressed.keras", "keras/images", "keras"],
  ["keras/images", "keras/images", "keras-folder"],
  ["keras/shared.keras", "keras/shared", "keras"],
  ["keras/compiled.keras", "keras/compiled", "keras"],
  ["keras/mixed_float16.keras", "keras/mixed_float16", "keras"],
  ["keras/float16.keras", "keras/float16", "keras"],
  ["keras/bfloat16.keras", "keras/bfloat16", "keras"],
  ["tf-keras/functional.keras", "tf-keras/functional", "keras"],
  ["tf-keras/functional.h5", "tf-keras/functional", "legacy-h5"],
  ["tf-keras/shared.keras", "tf-keras/shared", "keras"],
  ["tf-keras/images.keras", "tf-keras/images", "keras"],
  ["tf-keras/images.h5", "tf-keras/images", "legacy-h5"],
])("%s has the layers that the framework says", async (name, truth, format) => {
  const file = await readWeightsFile(pathOf(name));
  expect(file.format).toBe(format);
  expectLayers(file.layers, truthOf(truth));
  for (const layer of file.layers) {
    expect(layer).toMatchObject({ framework: name.split("/")[0], recognizedBy: "config", reason: null });
  }
});

test("the type in the file is told", async () => {
  const types = await Promise.all(["mixed_float16", "float16", "bfloat16", "float64"].map((name) => layersOf(`keras/${name}.keras`)));
  expect(types.map(([{ storedAs }]) => storedAs)).toEqual(["float32", "float16", "bfloat16", "float64"]);
});

test("a float64 that float32 does not hold is a reason, not a rounded number", async () => {
  const [layer] = await layersOf("keras/float64.keras");
  expect(layer).toMatchObject({ name: "norm", state: null, config: { epsilon: 1e-3 }, reason: { code: "unknown-dtype" } });
});

test.each(["keras/renorm.keras", "keras/renorm.h5", "tf-keras/renorm.keras", "tf-keras/renorm.h5"])(
  "%s: renorm is refused by name",
  async (name) => {
    const [renormalized, ordinary] = await layersOf(name);
    expect(renormalized).toMatchObject({ name: "renormalized", config: null, state: null, reason: { code: "cannot-convert" } });
    expect(renormalized.reason?.message).toContain("renorm");
    expectValues(ordinary, truthOf(`${name.split("/")[0]}/renorm`)[1]);
  },
);

test("without a config renorm is known by the number of its variables", async () => {
  const [renormalized, ordinary] = await layersOf("keras/renorm.weights.h5");
  expect(renormalized).toMatchObject({ state: null, reason: { code: "cannot-convert", received: 7 } });
  expectValues(ordinary, truthOf("keras/renorm")[1]);
});

test("a .weights.h5 has names and values, no config, and three variables are ambiguous", async () => {
  const layers = await layersOf("keras/functional.weights.h5");
  const truth = truthOf("keras/functional");
  const wanted = [truth[0], truth[1], truth[2], truth[3], truth[5], truth[4]];
  expect(layers.map(({ name }) => name)).toEqual(wanted.map(({ name }) => name));
  for (const [index, layer] of layers.entries()) {
    expect(layer.framework).toBe("keras");
    if (index === 1 || index === 2) {
      expect(layer).toMatchObject({ state: null, reason: { code: "cannot-convert" } });
      expect(layer.reason?.message).toContain("gamma or beta");
    } else {
      expectValues(layer, wanted[index]);
      expect(layer.assumed.slice(0, 4)).toEqual(["axis", "momentum", "epsilon", "trainable"]);
      expect(layer.config).toMatchObject({ axis: -1, epsilon: 1e-3, momentum: 0.99, trainable: true });
    }
  }
  // Two variables may be the first two of four.
  expect(layers[3].assumed).toEqual(["axis", "momentum", "epsilon", "trainable", "center", "scale"]);
});

test("tf-keras writes no names into a .weights.h5: groups are called after classes", async () => {
  const layers = await layersOf("tf-keras/functional.weights.h5");
  expect(layers.map(({ name, framework, recognizedBy }) => [name, framework, recognizedBy])).toEqual([
    ["batch_normalization", null, "name"],
    ["batch_normalization_1", null, "name"],
    ["batch_normalization_2", null, "name"],
    ["batch_normalization_3", null, "name"],
    ["batch_normalization", null, "name"],
    ["layer", null, "shape"],
  ]);
  expectValues(layers[0], truthOf("tf-keras/functional")[0]);
  expect(layers[0].assumed).toContain("varianceEstimator");
});

test("weights alone in a legacy .h5 are found by name", async () => {
  const layers = await layersOf("tf-keras/functional.only-weights.h5");
  const truth = truthOf("tf-keras/functional");
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  expect(byPath.size).toBe(truth.length);
  const paths = [
    "norm/norm",
    "batch_normalization/batch_normalization",
    "batch_normalization_1/batch_normalization_1",
    "plain/plain",
    "each/each",
    "inner/norm",
  ];
  for (const [index, path] of paths.entries()) {
    expectValues(byPath.get(path)!, truth[index]);
    expect(byPath.get(path)).toMatchObject({ recognizedBy: "name", framework: "tf-keras" });
    expect(byPath.get(path)!.assumed).toEqual(["axis", "momentum", "epsilon", "trainable", "varianceEstimator"]);
  }
});

test("shards are put together, a layer in two of them too", async () => {
  const file = await readWeightsFile(pathOf("keras/images.weights.json"));
  const [truth] = truthOf("keras/images");
  expect(file).toMatchObject({ format: "sharded-weights-h5", layers: [{ name: truth.name, framework: "keras" }] });
  expectValues(file.layers[0], truth);
});

test("a subclassed model has no config of its layers", async () => {
  const layers = await layersOf("keras/subclassed.keras");
  const truth = new Map(truthOf("keras/subclassed").map((layer) => [layer.name, layer]));
  expect(layers.map(({ name, path, recognizedBy }) => [name, path, recognizedBy])).toEqual([
    ["half", "ambiguous", "shape"],
    ["in_block", "block/norm", "shape"],
    ["entry", "first", "shape"],
    ["listed_0", "layers/batch_normalization_2", "name"],
    ["listed_1", "layers/batch_normalization_3", "name"],
  ]);
  for (const layer of layers.slice(1)) expectValues(layer, truth.get(layer.name)!);
  expect(layers[0].reason?.message).toContain("gamma or beta");
});

test("tf-keras takes the sample variance at rank 4, as far as the file tells the rank", async () => {
  const [[archive], [legacy], [flat]] = await Promise.all(
    ["images.keras", "images.h5", "functional.keras"].map((name) => layersOf(`tf-keras/${name}`)),
  );
  expect(archive).toMatchObject({ config: { varianceEstimator: "sample" }, assumed: [] });
  expect(legacy).toMatchObject({ config: { varianceEstimator: "population" }, assumed: ["varianceEstimator"] });
  expect(flat).toMatchObject({ config: { varianceEstimator: "population" }, assumed: [] });
});
