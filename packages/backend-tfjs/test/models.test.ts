import { BatchNormalization, registerBatchNormalization, replaceBatchNorms } from "@batchnorm/backend-tfjs/layers";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { loadDigitsModel, weightsOf } from "./digits.ts";
import { draw } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

beforeAll(async () => {
  await startTfjs("cpu");
});

const NORMS = ["first", "middle", "last"];

async function predict(model: tf.LayersModel): Promise<Float32Array> {
  return (model.predict(draw([4, 8, 8, 1], 1)) as tf.Tensor).dataSync().slice() as Float32Array;
}

async function saved(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
  return artifacts!;
}

describe("replaceBatchNorms", () => {
  it("replaces the layers of a converted Keras model, which predicts what it did", async () => {
    const model = await loadDigitsModel();
    const [before, weights] = [await predict(model), NORMS.map((name) => weightsOf(model, name))];
    const replaced = replaceBatchNorms(model);
    expect(replaced.map(({ name }) => name)).toEqual(NORMS);
    for (const layer of replaced) expect(layer).toBeInstanceOf(BatchNormalization);
    expect(model.layers.filter((layer) => layer instanceof BatchNormalization)).toEqual(replaced);
    expect(NORMS.map((name) => weightsOf(model, name))).toEqual(weights);
    // model.json says so of the middle one.
    expect(replaced.map(({ trainable }) => trainable)).toEqual([true, false, true]);
    const after = await predict(model);
    for (const [k, value] of after.entries()) expect(value).toBeCloseTo(before[k], 4);
  });

  it("gives the layers that are replaced already", async () => {
    const model = await loadDigitsModel();
    expect(replaceBatchNorms(model)).toEqual(replaceBatchNorms(model));
  });

  it("keeps what a frozen model froze", () => {
    const norm = tf.layers.batchNormalization();
    const base = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] }), norm] });
    base.trainable = false;
    const [layer] = replaceBatchNorms(tf.sequential({ layers: [base, tf.layers.dense({ units: 2 })] }));
    expect(layer.trainable).toBe(false);
    base.trainable = true;
    expect(layer.trainable).toBe(true);
  });

  it("works on a model that is compiled and trained, which goes on with its optimizer, and under its constraints", async () => {
    const norm = tf.layers.batchNormalization({ betaConstraint: "nonNeg" });
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] }), norm] });
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const [x, y] = [draw([8, 4], 1), tf.fill([8, 3], -1)];
    const beta = (): number[] => [...norm.getWeights()[1].dataSync()];
    await model.fit(x, y, { verbose: 0 });
    // tfjs's own layer does not apply them.
    expect(Math.max(...beta())).toBeLessThan(0);
    const { optimizer } = model;
    replaceBatchNorms(model);
    const before = norm.getWeights().map((weight) => [...weight.dataSync()]);
    await model.fit(x, y, { verbose: 0 });
    expect(model.optimizer).toBe(optimizer);
    expect(norm.getWeights().map((weight) => [...weight.dataSync()])).not.toEqual(before);
    expect(beta()).toEqual([0, 0, 0]);
  });

  it.each([[{}], [null], [{ predict: () => {} }]])("refuses what has no layers: %j", (model) => {
    expect(() => replaceBatchNorms(model as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it("refuses the layers of another copy of tfjs-layers", () => {
    class BatchNormalization extends tf.layers.Layer {
      static className = "BatchNormalization";
      override getClassName(): string {
        return "BatchNormalization";
      }
    }
    const model = tf.sequential({ layers: [new BatchNormalization({ inputShape: [2] })] });
    expect(() => replaceBatchNorms(model)).toThrow(/another|copy/);
  });
});

describe("registerBatchNormalization", () => {
  it("is needed for tf.loadLayersModel to use the layer", async () => {
    expect((await loadDigitsModel()).getLayer("first")).not.toBeInstanceOf(BatchNormalization);
    registerBatchNormalization();
    const model = await loadDigitsModel();
    for (const name of NORMS) expect(model.getLayer(name)).toBeInstanceOf(BatchNormalization);
    expect(model.getLayer("middle").trainable).toBe(false);
  });

  it("weights come from a Keras model in Keras's order, and go back into one", async () => {
    registerBatchNormalization();
    const model = await loadDigitsModel();
    expect(model.getLayer("first").weights.map(({ originalName }) => originalName)).toEqual([
      "first/gamma",
      "first/beta",
      "first/moving_mean",
      "first/moving_variance",
    ]);
    const artifacts = await saved(model);
    expect(artifacts.weightSpecs!.map(({ name }) => name)).toContain("middle/moving_variance");
    const [again, own] = [await tf.loadLayersModel({ load: async () => artifacts }), await loadDigitsModel()];
    for (const name of NORMS) expect(weightsOf(again, name)).toEqual(weightsOf(own, name));
    expect(await predict(again)).toEqual(await predict(model));
    const topology = JSON.parse(JSON.stringify(artifacts.modelTopology));
    const entry = topology.config.layers.find((layer: { config: { name: string } }) => layer.config.name === "middle");
    expect(entry).toMatchObject({
      class_name: "BatchNormalization",
      config: { trainable: false, momentum: 0.9, moving_mean_initializer: {} },
    });
  });
});
