import { DEFAULT_CONFIG } from "@batchnorm/spec";
import { type BatchNormJSON, toJSON } from "@batchnorm/spec/convert";
import { describe, expect, test } from "vitest";
import { fillStates, find } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { type KnownModel, MODELS, modelOf, tensorsOf } from "./fixtures.ts";

/** The states of the layers of a Keras model, by Keras's names, as a weight file gives them. */
function kerasStates(known: KnownModel): Record<string, BatchNormJSON> {
  const tensors = tensorsOf(known.states ?? known.tensors);
  return Object.fromEntries(
    known.layers.map(({ name, epsilon, momentum }) => {
      const array = (which: string): Float32Array | null =>
        (tensors.get(`layer/${name}/${which}`)?.data as Float32Array | undefined) ?? null;
      const [gamma, beta] = [array("gamma"), array("beta")];
      const config = { ...DEFAULT_CONFIG, epsilon: epsilon!, momentum: momentum ?? 0.99, scale: gamma !== null, center: beta !== null };
      const statistics = { movingMean: array("movingMean")!, movingVariance: array("movingVariance")! };
      return [name, toJSON(config, { parameters: { gamma, beta }, statistics })];
    }),
  );
}

const keras = MODELS.filter(({ id }) => /^(keras|tf-keras|keras-jax|keras-torch)\//.test(id) && !id.includes("training"));

describe("the states of a Keras model beside its ONNX files", () => {
  test.each(keras.map((known) => [known.id, known] as const))("%s", async (_, known) => {
    const model = modelOf(known);
    const { layers } = await find(model);
    const { filled, unmatched, unused } = await fillStates(model, kerasStates(known));
    expect(unmatched).toEqual([]);
    // Layers that the exporter folded away have no place any more.
    expect([...unused].sort()).toEqual(
      known.layers
        .filter(({ form }) => form === "folded")
        .map(({ name }) => name)
        .sort(),
    );
    for (const { layer, state, agrees } of filled) {
      const found = layers.find(({ name }) => name === layer)!;
      const expected = known.layers.find(({ node }) => node === found.nodes[0])!;
      expect(state).toBe(expected.name);
      if (found.affine !== null) expect(agrees.multiplier, layer).toBe(true);
      expect(agrees.epsilon).toBe(found.epsilon === null ? null : true);
      for (const [array, values] of Object.entries({ ...found.parameters, ...found.statistics })) {
        expect(agrees.arrays[array as "gamma"], array).toBe(values === null ? null : true);
      }
    }
  });
});

test("tf2onnx merges the bias of a Conv into l: the multiplier agrees, the offset does not", async () => {
  const known = MODELS.find(({ id }) => id === "keras/digits-onnx")!;
  const { filled } = await fillStates(modelOf(known), kerasStates(known));
  const offsets = Object.fromEntries(filled.map(({ state, agrees }) => [state, agrees.offset]));
  expect(offsets).toMatchObject({ pixel_norm: true, dense_norm: true });
});

test("a state that is another model's is told from its numbers", async () => {
  const known = MODELS.find(({ id }) => id === "keras/digits-onnx")!;
  const states = kerasStates(known);
  const { statistics } = states.dense_norm;
  const variance = [...statistics.movingVariance] as number[];
  variance[3] = Math.fround(variance[3] * (1 + 2 ** -18));
  states.dense_norm = { ...states.dense_norm, statistics: { ...statistics, movingVariance: variance } };
  const { filled } = await fillStates(modelOf(known), states);
  expect(filled.find(({ state }) => state === "dense_norm")?.agrees.multiplier).toBe(false);
});

test("without names that fit the numbers decide, where they fit one state only", async () => {
  const known = MODELS.find(({ id }) => id === "keras-jax/digits-strided")!;
  const entries = Object.entries(kerasStates(known));
  const renamed = Object.fromEntries(entries.map(([name, state]) => [`w_${name.replaceAll("_", "")}`, state]));
  const { filled } = await fillStates(modelOf(known), renamed);
  expect(filled.map(({ matchedBy }) => matchedBy)).toEqual(Array(5).fill("numbers"));
  const twice = await fillStates(modelOf(known), { ...renamed, again: renamed.w_densenorm });
  expect(twice.unmatched).toHaveLength(1);
});

test("states that are none are refused", async () => {
  const model = modelOf(MODELS[0]);
  await expectCode("invalid-argument", () => fillStates(model, [] as never));
  await expectCode("invalid-json", () => fillStates(model, { bn: {} } as never));
});
