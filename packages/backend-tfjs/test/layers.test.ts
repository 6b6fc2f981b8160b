import { BatchNormalization, type BatchNormalizationArgs } from "@batchnorm/backend-tfjs/layers";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { draw, held } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

beforeAll(async () => {
  await startTfjs("cpu");
});

/** The layer alone in a model. */
function modelOf(args: BatchNormalizationArgs, inputShape: number[]): tf.Sequential {
  return tf.sequential({ layers: [new BatchNormalization({ ...args, inputShape, name: "norm" })] });
}

/** One step of plain SGD, rate 1, on the loss sum(y * upstream): dy is upstream, and the parameters move by their gradients. */
async function trainOnce(model: tf.Sequential, x: tf.Tensor, upstream: tf.Tensor): Promise<void> {
  const loss = (truth: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.sum(tf.mul(truth, y));
  model.compile({ optimizer: tf.train.sgd(1), loss });
  await model.fit(x, upstream, { batchSize: x.shape[0], shuffle: false, verbose: 0 });
}

const weights = (model: tf.LayersModel): number[][] =>
  model
    .getLayer("norm")
    .getWeights()
    .map((weight) => [...weight.dataSync()]);

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, digits = 5): void {
  expect(got.length).toBe(wanted.length);
  Array.from(got, (value, k) => expect(value).toBeCloseTo(wanted[k], digits));
}

/** Mean and population variance along all axes but one. */
function momentsOf(x: tf.Tensor, axis: number): { mean: number[]; variance: number[] } {
  const axes = x.shape.map((_, index) => index).filter((index) => index !== (axis < 0 ? axis + x.rank : axis));
  const { mean, variance } = tf.moments(x, axes);
  return { mean: [...mean.dataSync()], variance: [...variance.dataSync()] };
}

describe("arguments", () => {
  it("are Keras's, with Keras's defaults, and come back from getConfig", () => {
    const config = new BatchNormalization({ name: "norm" }).getConfig();
    expect(config).toMatchObject({ name: "norm", trainable: true, axis: -1, momentum: 0.99, epsilon: 0.001, center: true, scale: true });
    expect(config).not.toHaveProperty("varianceEstimator");
    const given = new BatchNormalization({ axis: 1, momentum: 0.5, gammaInitializer: "zeros", varianceEstimator: "sample" }).getConfig();
    expect(given).toMatchObject({ axis: 1, momentum: 0.5, gammaInitializer: { className: "Zeros" }, varianceEstimator: "sample" });
    // A copy: tfjs writes into the config of an initializer that it reads.
    expect(new BatchNormalization(structuredClone(given) as BatchNormalizationArgs).getConfig()).toEqual(given);
  });

  it("are the same as those of tfjs's own layer", () => {
    const args = { axis: 1, epsilon: 0.01, betaRegularizer: "l1l2", gammaConstraint: "nonNeg", name: "norm" } as const;
    expect(new BatchNormalization(args).getConfig()).toEqual(tf.layers.batchNormalization(args).getConfig());
  });

  it("of a Keras config are read: a list of one axis, what has no effect, what is null", () => {
    const layer = new BatchNormalization({
      axis: [3],
      momentum: null,
      synchronized: false,
      renorm: false,
      renormClipping: null,
      renormMomentum: 0.99,
      virtualBatchSize: null,
      dtype: { module: "keras", className: "DTypePolicy", config: { name: "float32" } },
    } as never);
    expect(layer.getConfig()).toMatchObject({ axis: 3, momentum: 0.99 });
  });

  it.each([
    [{ eps: 1e-5 }, "invalid-argument"],
    [{ momentum: 2 }, "invalid-momentum"],
    [{ epsilon: 0 }, "invalid-epsilon"],
    [{ axis: [1, 2] }, "cannot-convert"],
    [{ renorm: true }, "cannot-convert"],
    [{ virtualBatchSize: 4 }, "cannot-convert"],
    [{ varianceEstimator: "biased" }, "invalid-argument"],
  ])("%j is refused with %s", (args, code) => {
    expect(() => new BatchNormalization(args as never)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [{}, [], "invalid-rank"],
    [{ axis: 3 }, [4, 5], "invalid-axis"],
  ])("%j on input of shape [null, %j] is refused with %s", (args, shape, code) => {
    expect(() => modelOf(args, shape as number[])).toThrow(expect.objectContaining({ code }));
  });
});

describe("training", () => {
  it.each([
    [[6, 4], -1],
    [[6, 4], 1],
    [[5, 3, 4], 1],
    [[5, 3, 4, 2], 3],
    [[5, 3, 4, 2], 1],
    [[3, 2, 3, 2, 4], -1],
    [[3, 2, 3, 2, 4], 1],
    [[2, 2, 2, 2, 2, 3], -1],
  ])("x %j with axis %i: output, statistics, and the parameters after a step", async (shape, axis) => {
    const x = tf.add(draw(shape, 1), 10);
    const dy = draw(shape, 2);
    const model = modelOf({ axis, momentum: 0.25 }, shape.slice(1));
    await trainOnce(model, x, dy);
    const { mean, variance } = momentsOf(x, axis);
    const [gamma, beta, movingMean, movingVariance] = weights(model);
    expectClose(
      movingMean,
      mean.map((each) => each * 0.75),
    );
    expectClose(
      movingVariance,
      variance.map((each) => 0.25 + each * 0.75),
    );
    const perChannel = x.shape.map((size, index) => (index === (axis < 0 ? axis + x.rank : axis) ? size : 1));
    const axes = x.shape.map((_, index) => index).filter((index) => perChannel[index] === 1);
    const xHat = tf.div(
      tf.sub(x, tf.reshape(tf.tensor(mean), perChannel)),
      tf.reshape(tf.sqrt(tf.add(tf.tensor(variance), 1e-3)), perChannel),
    );
    expectClose(gamma, [...tf.sub(1, tf.sum(tf.mul(dy, xHat), axes)).dataSync()], 3);
    expectClose(beta, [...tf.neg(tf.sum(dy, axes)).dataSync()], 4);
  });

  it.each([{ scale: false }, { center: false }, { scale: false, center: false }])(
    "%j: fits, where tfjs's own layer throws",
    async (args) => {
      const x = draw([6, 4], 1);
      const stack = (norm: tf.layers.Layer): tf.Sequential =>
        tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [4] }), norm] });
      const model = stack(new BatchNormalization({ ...args, name: "norm" }));
      const own = stack(tf.layers.batchNormalization(args));
      for (const each of [model, own]) each.compile({ optimizer: "sgd", loss: "meanSquaredError" });
      await expect(own.fit(x, draw([6, 4], 2), { verbose: 0 })).rejects.toThrow(TypeError);
      await model.fit(x, draw([6, 4], 2), { verbose: 0, epochs: 2 });
      expect(weights(model).length).toBe(2 + Number(args.scale ?? true) + Number(args.center ?? true));
      expect(weights(model).flat().every(Number.isFinite)).toBe(true);
    },
  );

  it("puts the sample variance into the moving variance where that is asked for", async () => {
    const x = draw([6, 4], 1);
    const model = modelOf({ varianceEstimator: "sample", momentum: 0 }, [4]);
    await trainOnce(model, x, draw([6, 4], 2));
    expectClose(
      weights(model)[3],
      momentsOf(x, -1).variance.map((each) => (each * 6) / 5),
    );
  });

  it("predicts with the moving statistics, which it leaves alone", () => {
    const model = modelOf({ axis: 1 }, [3, 4]);
    model.setWeights([tf.tensor([2, 3, 4]), tf.tensor([1, 0, -1]), tf.tensor([10, 20, 30]), tf.tensor([4, 9, 16])]);
    const y = model.predict(tf.fill([1, 3, 4], 22)) as tf.Tensor;
    const expected = [(2 * 12) / Math.sqrt(4.001) + 1, (3 * 2) / Math.sqrt(9.001), (4 * -8) / Math.sqrt(16.001) - 1];
    expectClose(
      [...y.dataSync()],
      expected.flatMap((value) => [value, value, value, value]),
    );
    expect(weights(model).slice(2)).toEqual([
      [10, 20, 30],
      [4, 9, 16],
    ]);
  });

  it("leaves no tensor behind", async () => {
    const [x, dy] = [draw([6, 4], 1), draw([6, 4], 2)];
    const model = modelOf({}, [4]);
    await trainOnce(model, x, dy);
    const before = held();
    await model.fit(x, dy, { epochs: 5, verbose: 0 });
    expect(held()).toEqual(before);
  });

  it("refuses to train on nothing", () => {
    const layer = new BatchNormalization();
    expect(() => layer.apply(tf.zeros([0, 3]), { training: true })).toThrow(expect.objectContaining({ code: "empty-batch" }));
  });
});

describe("weights", () => {
  it("start as their initializers say", () => {
    const model = modelOf(
      { gammaInitializer: "zeros", betaInitializer: "ones", movingMeanInitializer: tf.initializers.constant({ value: 7 }) },
      [2],
    );
    expect(weights(model)).toEqual([
      [0, 0],
      [1, 1],
      [7, 7],
      [1, 1],
    ]);
  });

  it("are regularized while they are trained, and not while they are frozen", async () => {
    const l2 = tf.regularizers.l2({ l2: 0.5 });
    const model = modelOf({ gammaRegularizer: l2, betaRegularizer: l2 }, [2]);
    model.setWeights([tf.tensor([2, 4]), tf.tensor([1, -1]), tf.zeros([2]), tf.ones([2])]);
    const [x, nothing] = [draw([4, 2], 1), tf.zeros([4, 2])];
    await trainOnce(model, x, nothing);
    // The only gradient is that of 0.5 * weight^2 with rate 1.
    expect(weights(model).slice(0, 2)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    model.setWeights([tf.tensor([2, 4]), tf.tensor([1, -1]), tf.zeros([2]), tf.ones([2])]);
    const trained = await model.trainOnBatch(x, nothing);
    expect(trained).toBeCloseTo(0.5 * (4 + 16 + 1 + 1), 4);
    model.getLayer("norm").trainable = false;
    expect((model.getLayer("norm") as BatchNormalization).calculateLosses()).toEqual([]);
  });

  it("obey their constraints after every step, and not before the first", async () => {
    const fresh = modelOf({ betaConstraint: "nonNeg", betaInitializer: tf.initializers.constant({ value: -1 }) }, [2]);
    expect(weights(fresh)[1]).toEqual([-1, -1]);
    const model = modelOf({ gammaConstraint: "nonNeg", betaConstraint: "nonNeg" }, [2]);
    const x = draw([4, 2], 1);
    await trainOnce(model, x, tf.mul(x, 100));
    const [gamma] = weights(model);
    expect(gamma).toEqual([0, 0]);
    // A weight that was set and not trained is as it was set, in Keras as well as here.
    model.setWeights([tf.tensor([1, 2]), tf.tensor([3, 4]), tf.zeros([2]), tf.ones([2])]);
    expect(weights(model).slice(0, 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});
