import { BatchNormalization, freezeBatchNorms } from "@batchnorm/backend-tfjs/layers";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { draw } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

beforeAll(async () => {
  await startTfjs("cpu");
});

const SGD = { optimizer: "sgd", loss: "meanSquaredError" } as const;

function sequential(norm: tf.layers.Layer): tf.Sequential {
  return tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] }), norm, tf.layers.dense({ units: 2 })] });
}

const fit = (model: tf.LayersModel): Promise<tf.History> =>
  model.fit(draw([16, 4], 1), draw([16, 2], 2), { epochs: 3, batchSize: 8, verbose: 0 });

const weights = (layer: tf.layers.Layer): Float32Array[] => layer.getWeights().map((weight) => weight.dataSync().slice() as Float32Array);

/** Whether fit left every weight of the layer as it was, bit for bit. */
async function isLeftAlone(layer: tf.layers.Layer, model: tf.LayersModel): Promise<boolean> {
  const before = weights(layer).map((each) => [...new Uint32Array(each.buffer)]);
  await fit(model);
  const after = weights(layer).map((each) => [...new Uint32Array(each.buffer)]);
  return JSON.stringify(after) === JSON.stringify(before);
}

describe("a frozen layer", () => {
  it("is left alone by fit, bit for bit; tfjs's own is not", async () => {
    for (const [norm, expected] of [
      [new BatchNormalization({ trainable: false }), true],
      [tf.layers.batchNormalization({ trainable: false }), false],
    ] as const) {
      const model = sequential(norm);
      model.compile(SGD);
      await fit(model);
      expect(await isLeftAlone(norm, model)).toBe(expected);
    }
  });

  it("normalizes with the moving statistics, training or not", () => {
    const norm = new BatchNormalization({ trainable: false });
    const x = draw([8, 3], 1);
    const [inference, training] = [false, true].map((training) => norm.apply(x, { training }) as tf.Tensor);
    expect([...training.dataSync()]).toEqual([...inference.dataSync()]);
    expect(
      weights(norm)
        .slice(2)
        .map((each) => [...each]),
    ).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
  });

  it("lets the layers before it learn", async () => {
    const norm = new BatchNormalization({ trainable: false });
    const model = sequential(norm);
    model.compile(SGD);
    expect(await isLeftAlone(model.layers[0], model)).toBe(false);
  });

  it("may be frozen after compile, and unfrozen", async () => {
    const norm = new BatchNormalization();
    const model = sequential(norm);
    model.compile(SGD);
    expect(await isLeftAlone(norm, model)).toBe(false);
    norm.trainable = false;
    expect(await isLeftAlone(norm, model)).toBe(true);
    norm.trainable = true;
    expect(await isLeftAlone(norm, model)).toBe(false);
  });

  it("may be frozen before the Sequential around it is built, which tfjs does by setting its trainable to true", async () => {
    const norm = new BatchNormalization();
    const model = sequential(norm);
    norm.trainable = false;
    model.compile(SGD);
    expect(norm.trainable).toBe(false);
    expect(await isLeftAlone(norm, model)).toBe(true);
  });
});

describe("a parent", () => {
  it.each([{}, { scale: false, center: false }])(
    "that is frozen freezes the layer, also after compile, and unfreezes it: %j",
    async (args) => {
      const norm = new BatchNormalization(args);
      const base = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] }), norm] });
      const model = tf.sequential({ layers: [base, tf.layers.dense({ units: 2 })] });
      model.compile(SGD);
      base.trainable = false;
      expect(norm.trainable).toBe(false);
      expect(await isLeftAlone(norm, model)).toBe(true);
      base.trainable = true;
      expect(await isLeftAlone(norm, model)).toBe(false);
    },
  );

  it("of a parent, too, and a wrapper's", async () => {
    const [norm, wrapped] = [new BatchNormalization(), new BatchNormalization()];
    const inner = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [4] }), norm] });
    const middle = tf.sequential({
      layers: [inner, tf.layers.reshape({ targetShape: [2, 2] }), tf.layers.timeDistributed({ layer: wrapped })],
    });
    const input = tf.input({ shape: [4] });
    const outer = tf.model({ inputs: input, outputs: middle.apply(input) as tf.SymbolicTensor });
    const head = tf.sequential({ layers: [outer, tf.layers.flatten(), tf.layers.dense({ units: 2 })] as tf.layers.Layer[] });
    outer.trainable = false;
    head.compile(SGD);
    expect([norm.trainable, wrapped.trainable]).toEqual([false, false]);
    expect(await isLeftAlone(norm, head)).toBe(true);
    outer.trainable = true;
    expect([norm.trainable, wrapped.trainable]).toEqual([true, true]);
  });

  it("leaves other layers as tfjs has them", () => {
    const [dense, own] = [tf.layers.dense({ units: 3, inputShape: [4] }), tf.layers.batchNormalization()];
    const model = tf.sequential({ layers: [dense, own, new BatchNormalization()] });
    model.trainable = false;
    expect([dense.trainable, own.trainable]).toEqual([true, true]);
    expect(model.trainableWeights).toEqual([]);
  });
});

describe("freezeBatchNorms", () => {
  it("freezes every batch normalization of a model that has tfjs's own, and of those inside it", async () => {
    const [first, second] = [tf.layers.batchNormalization(), tf.layers.batchNormalization()];
    const base = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] }), first] });
    const model = tf.sequential({ layers: [base, second, tf.layers.dense({ units: 2 })] });
    model.compile(SGD);
    await fit(model);
    expect(freezeBatchNorms(model)).toEqual([first, second]);
    expect(await isLeftAlone(first, model)).toBe(true);
    expect(await isLeftAlone(second, model)).toBe(true);
  });
});
