import { BatchNormalization } from "@batchnorm/backend-tfjs/layers";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { draw } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

beforeAll(async () => {
  await startTfjs("cpu");
});

const SGD = { optimizer: "sgd", loss: "meanSquaredError" } as const;

/** Momentum 0 leaves the statistics of the last batch: those that the layer took from it. */
const lastBatch = (): BatchNormalization => new BatchNormalization({ momentum: 0, name: "norm" });

const statistics = (layer: BatchNormalization): number[][] =>
  layer
    .getWeights()
    .slice(-2)
    .map((weight) => [...weight.dataSync()]);

/** Mean and variance of the rows of x `[rows, channels]`. */
function momentsOf(rows: number[][]): number[][] {
  const { mean, variance } = tf.moments(tf.tensor(rows), 0);
  return [[...mean.dataSync()], [...variance.dataSync()]];
}

function expectClose(got: number[][], wanted: number[][]): void {
  for (const [row, values] of got.entries()) {
    for (const [k, value] of values.entries()) expect(value).toBeCloseTo(wanted[row][k], 5);
  }
}

describe("inside a model", () => {
  it("the mask of an Embedding hides the padding from the statistics", async () => {
    const norm = lastBatch();
    const embedding = tf.layers.embedding({ inputDim: 4, outputDim: 3, maskZero: true, inputLength: 3 });
    const model = tf.sequential({ layers: [embedding, norm] });
    model.compile({ ...SGD, optimizer: tf.train.sgd(0) });
    const table = embedding.getWeights()[0].arraySync() as number[][];
    await model.fit(
      tf.tensor([
        [1, 2, 0],
        [3, 0, 0],
      ]),
      tf.zeros([2, 3, 3]),
      { verbose: 0 },
    );
    expectClose(statistics(norm), momentsOf([table[1], table[2], table[3]]));
  });

  it("the mask of a Masking layer reaches the layer through one that passes it on", async () => {
    const norm = lastBatch();
    const model = tf.sequential({
      layers: [tf.layers.masking({ maskValue: 9, inputShape: [2, 2] }), tf.layers.dropout({ rate: 0 }), norm],
    });
    model.compile(SGD);
    await model.fit(
      tf.tensor([
        [
          [1, 2],
          [9, 9],
        ],
        [
          [3, 5],
          [7, 8],
        ],
      ]),
      tf.zeros([2, 2, 2]),
      { verbose: 0 },
    );
    expectClose(
      statistics(norm),
      momentsOf([
        [1, 2],
        [3, 5],
        [7, 8],
      ]),
    );
  });

  it("a mask that was for another tensor has no effect, although tfjs passes it along", async () => {
    // A Reshape does not pass a mask on, in Keras either; here its output has the shape of the mask all the same.
    const norm = lastBatch();
    const [masking, reshape] = [tf.layers.masking({ maskValue: 9, inputShape: [2, 2] }), tf.layers.reshape({ targetShape: [2, 2] })];
    const model = tf.sequential({ layers: [masking, reshape, tf.layers.dropout({ rate: 0 }), norm] });
    model.compile(SGD);
    await model.fit(
      tf.tensor([
        [
          [1, 2],
          [9, 9],
        ],
        [
          [3, 5],
          [7, 8],
        ],
      ]),
      tf.zeros([2, 2, 2]),
      { verbose: 0 },
    );
    // Masking has set the masked step to 0.
    expectClose(
      statistics(norm),
      momentsOf([
        [1, 2],
        [0, 0],
        [3, 5],
        [7, 8],
      ]),
    );
  });

  it("a mask over time is none for what an LSTM makes of it", async () => {
    const norm = lastBatch();
    const model = tf.sequential({ layers: [tf.layers.masking({ maskValue: 9, inputShape: [2, 2] }), tf.layers.lstm({ units: 2 }), norm] });
    model.compile(SGD);
    await model.fit(draw([4, 2, 2], 1), tf.zeros([4, 2]), { verbose: 0 });
    expect(statistics(norm).flat().every(Number.isFinite)).toBe(true);
  });

  it("a mask reaches a layer in a model in the model", async () => {
    const norm = lastBatch();
    const inner = tf.sequential({ layers: [tf.layers.activation({ activation: "linear", inputShape: [2, 2] }), norm] });
    const model = tf.sequential({ layers: [tf.layers.masking({ maskValue: 9, inputShape: [2, 2] }), inner] });
    model.compile(SGD);
    await model.fit(
      tf.tensor([
        [
          [1, 2],
          [9, 9],
        ],
        [
          [3, 5],
          [7, 8],
        ],
      ]),
      tf.zeros([2, 2, 2]),
      { verbose: 0 },
    );
    expectClose(
      statistics(norm),
      momentsOf([
        [1, 2],
        [3, 5],
        [7, 8],
      ]),
    );
  });
});

describe("a mask over the channel axis, as of Masking before a layer with axis 1", () => {
  const masked = (features: number): tf.Sequential => {
    const norm = new BatchNormalization({ axis: 1, name: "norm" });
    const model = tf.sequential({ layers: [tf.layers.masking({ maskValue: 9, inputShape: [3, features] }), norm] });
    model.compile(SGD);
    return model;
  };

  // With three features the mask [batch, time] has the shape of [batch, feature], and must not be taken for it.
  it.each([2, 3])("is refused in training with %i features, and not ignored", async (features) => {
    const fit = masked(features).fit(draw([2, 3, features], 1), tf.zeros([2, 3, features]), { verbose: 0 });
    await expect(fit).rejects.toMatchObject({ code: "invalid-mask" });
  });

  it("has no effect in inference", () => {
    const x = draw([2, 3, 2], 1);
    const y = masked(2).predict(x) as tf.Tensor;
    const wanted = tf.div(x, Math.sqrt(1.001));
    expect(Math.max(...tf.abs(tf.sub(y, wanted)).dataSync())).toBeLessThan(1e-5);
  });
});

describe("given to the layer itself", () => {
  it("a mask of numbers shows what is not 0", () => {
    const norm = lastBatch();
    const x = draw([4, 2], 1);
    norm.apply(x, { training: true, mask: tf.tensor([1, 0, 255, 0.5]) });
    const rows = x.arraySync() as number[][];
    expectClose(statistics(norm), momentsOf([rows[0], rows[2], rows[3]]));
  });

  it("a mask of fewer axes holds for what is behind them", () => {
    const norm = lastBatch();
    const x = draw([2, 3, 2, 2], 1);
    norm.apply(x, {
      training: true,
      mask: tf.tensor(
        [
          [1, 0, 1],
          [0, 0, 1],
        ],
        [2, 3],
        "bool",
      ),
    });
    const rows = tf.reshape(x, [6, 2, 2]).arraySync() as number[][][];
    expectClose(statistics(norm), momentsOf([rows[0], rows[2], rows[5]].flat()));
  });

  it("a mask that hides everything leaves the statistics as they are", () => {
    const norm = lastBatch();
    norm.apply(draw([4, 2], 1), { training: true, mask: tf.zeros([4], "bool") });
    expect(statistics(norm)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it("a mask that does not fit is refused", () => {
    const call = () => lastBatch().apply(draw([4, 2], 1), { training: true, mask: tf.ones([3], "bool") });
    expect(call).toThrow(expect.objectContaining({ code: "invalid-mask" }));
  });
});
