import { expect, test } from "vitest";
import { configEntries, isNorm } from "../src/keras/config-tree.ts";
import { layersOfNamedStores, type NamedStore } from "../src/keras/legacy.ts";
import { layersOfStores, makeStore, type Store } from "../src/keras/stores.ts";
import type { StoredTensor } from "../src/tensor.ts";

const vector = (value: number): StoredTensor => ({
  path: "v",
  shape: [1],
  type: "float32",
  typeName: "float32",
  bytes: () => new Uint8Array(Float32Array.of(value).buffer),
});

/** A store with as many vectors as there are values, numbered from 0. */
const store = (path: string, name: string | null, ...values: number[]): Store =>
  makeStore(
    path,
    name,
    values.map((value, index) => [String(index), vector(value)] as const),
  );

const norm = (name: string, more: object = {}): object => ({
  module: "keras.layers",
  class_name: "BatchNormalization",
  config: { name, trainable: true, axis: -1, momentum: 0.5, epsilon: 0.5, center: true, scale: true, ...more },
});

const entriesOf = (...layers: object[]) => configEntries({ class_name: "Functional", config: { name: "model", layers } }, "keras");

test("variables are in the order of their numbers, 10 after 9", () => {
  const names = ["10", "9", "8", "7", "6", "5", "4", "3", "2", "1", "0"];
  const { variables, missing } = makeStore(
    "p",
    null,
    names.map((name) => [name, { ...vector(0), path: name }] as const),
  );
  expect(variables.map(({ path }) => path)).toEqual([...names].reverse());
  expect(missing).toBeNull();
});

test("a gap in the numbers is told", () => {
  const holed = makeStore(
    "layers/batch_normalization",
    null,
    ["0", "2", "3"].map((name) => [name, vector(1)] as const),
  );
  expect(layersOfStores([holed], [], null)).toMatchObject([{ state: null, reason: { code: "invalid-file", received: "variable 1" } }]);
});

test("variables with names are none of Keras's own layers", () => {
  expect(
    layersOfStores(
      [
        makeStore("layers/custom", null, [
          ["a", vector(1)],
          ["b", vector(1)],
        ]),
      ],
      [],
      null,
    ),
  ).toEqual([]);
});

test("where the path and the name in the file disagree, the name is right", () => {
  const entries = entriesOf(norm("a"), norm("b"));
  // As if another class had changed how the groups are counted.
  const stores = [store("layers/batch_normalization", "b", 1, 2, 3, 4), store("layers/batch_normalization_1", "a", 5, 6, 7, 8)];
  const layers = layersOfStores(stores, entries, "keras");
  expect(layers.map(({ name, path, state }) => [name, path, state?.parameters.gamma?.[0]])).toEqual([
    ["a", "layers/batch_normalization_1", 5],
    ["b", "layers/batch_normalization", 1],
  ]);
});

test("Keras 3 counts a layer that another model has had, tf-keras does not", () => {
  const shared = { ...norm("shared"), shared_object_id: 7 };
  const inner = { class_name: "Functional", config: { name: "inner", layers: [shared, norm("other")] } };
  const model = { class_name: "Functional", config: { name: "outer", layers: [shared, inner] } };
  const pathsOf = (framework: "keras" | "tf-keras"): string[] =>
    configEntries(model, framework)
      .filter(isNorm)
      .map(({ path }) => path);
  expect(pathsOf("keras")).toEqual(["layers/batch_normalization", "layers/functional/layers/batch_normalization_1"]);
  expect(pathsOf("tf-keras")).toEqual(["layers/batch_normalization", "layers/functional/layers/batch_normalization"]);
});

const named = (path: string, ...names: string[]): NamedStore => ({ path, variables: new Map(names.map((name) => [name, vector(1)])) });
const FOUR = ["gamma", "beta", "moving_mean", "moving_variance"];

test("named variables of one layer, and another layer of the config that has none", () => {
  const layers = layersOfNamedStores([named("b/b", ...FOUR)], entriesOf(norm("a"), norm("b")), "keras");
  expect(layers.map(({ name, path, state, reason }) => [name, path, state === null, reason?.code])).toEqual([
    ["b", "b/b", false, undefined],
    ["a", "layers/batch_normalization", true, "invalid-file"],
  ]);
});

test("variables of an unknown layer may be those of the layer that seems to have none", () => {
  const layers = layersOfNamedStores([named("renamed", ...FOUR)], entriesOf(norm("a")), "keras");
  expect(layers).toMatchObject([{ name: "renamed", recognizedBy: "name", reason: null }]);
});

test("a statistic that is missing is told", () => {
  const layers = layersOfNamedStores([named("a", "gamma", "beta", "moving_mean")], [], "keras");
  expect(layers).toMatchObject([{ state: null, reason: { code: "invalid-file" } }]);
  expect(layers[0].reason?.message).toContain("moving_variance");
});

test("a layer of the config without variables is told", () => {
  expect(layersOfStores([], entriesOf(norm("a")), "keras")).toMatchObject([
    { name: "a", config: { epsilon: 0.5 }, reason: { code: "invalid-file" } },
  ]);
});

test("a custom class of the same name is refused", () => {
  const entries = entriesOf({ ...norm("a"), registered_name: "mine>BatchNormalization" });
  const [layer] = layersOfStores([store("layers/batch_normalization", "a", 1, 2, 3, 4)], entries, "keras");
  expect(layer).toMatchObject({ name: "a", state: null, reason: { code: "cannot-convert", received: "mine>BatchNormalization" } });
});

test("four vectors of an optimizer, a metric or another layer of Keras are no layer", () => {
  const paths = ["optimizer", "compile_metrics/auc", "_metrics/auc", "layers/other"];
  const entries = entriesOf({ module: "keras.layers", class_name: "Other", config: { name: "other" } });
  expect(
    layersOfStores(
      paths.map((path) => store(path, null, 1, 2, 3, 4)),
      entries,
      "keras",
    ),
  ).toEqual([]);
});

test("four vectors of a layer that somebody wrote may be one, and are called so", () => {
  const entries = entriesOf({ module: "my_layers", class_name: "Other", config: { name: "other" } });
  expect(layersOfStores([store("layers/other", null, 1, 2, 3, 4)], entries, "keras")).toMatchObject([
    { recognizedBy: "shape", reason: null },
  ]);
});

test("two vectors are a normalization when their name says so", () => {
  const layers = layersOfStores(
    [store("encoder/norm", null, 1, 2), store("encoder/bn_1", null, 1, 2), store("head", "block_bn", 1, 2)],
    [],
    null,
  );
  expect(layers.map(({ path, recognizedBy, config }) => [path, recognizedBy, config?.scale])).toEqual([
    ["encoder/bn_1", "name", false],
    ["head", "name", false],
  ]);
});
