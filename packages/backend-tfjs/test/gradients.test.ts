import type { TfjsLayer } from "@batchnorm/backend-tfjs";
import type { BatchNormConfig } from "@batchnorm/spec";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { layerOf as base, draw as drawn } from "./layer-setup.ts";
import { startTfjs } from "./start-tfjs.ts";

const SHAPE = [4, 3, 2];
const EPSILON = 0.1;

beforeAll(async () => {
  await startTfjs("cpu");
  await startTfjs("wasm");
});

const layerOf = (config: Partial<BatchNormConfig> = {}): TfjsLayer => base({ axis: 1, epsilon: EPSILON, ...config });

const draw = (seed: number): tf.Tensor => drawn(SHAPE, seed);
const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

function expectClose(got: tf.Tensor, wanted: tf.Tensor, digits = 5): void {
  expect(got.shape).toEqual(wanted.shape);
  const expected = values(wanted);
  for (const [k, value] of values(got).entries()) expect(value).toBeCloseTo(expected[k], digits);
}

/** The training pass written down with tfjs's ops, which tfjs differentiates one by one. */
function reference(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const mean = tf.mean(x, [0, 2], true);
  const variance = tf.mean(tf.square(tf.sub(x, mean)), [0, 2], true);
  const perChannel = (tensor: tf.Tensor): tf.Tensor => tf.reshape(tensor, [1, 3, 1]);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON))), perChannel(gamma)), perChannel(beta));
}

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it("tf.grads gives what tfjs's op-by-op differentiation gives", () => {
    const layer = layerOf();
    const [x, dy] = [draw(1), draw(2)];
    const got = tf.grads((x: tf.Tensor) => layer.call(x, { training: true }))([x, layer.gamma!, layer.beta!], dy);
    const wanted = tf.grads(reference)([x, layer.gamma!, layer.beta!], dy);
    for (const [index, gradient] of got.entries()) expectClose(gradient, wanted[index]);
  });

  it("gives the gradients that backward gives, in both modes, frozen or not, under a mask or not", () => {
    const mask = tf.tensor([1, 0, 1, 1, 0, 1, 1, 1], [4, 2], "bool");
    for (const trainable of [true, false]) {
      for (const training of [true, false]) {
        for (const options of [{ training }, { training, mask }]) {
          const layer = layerOf({ trainable });
          const [x, dy] = [draw(3), draw(4)];
          const { value, grads } = tf.valueAndGrads((x: tf.Tensor) => layer.call(x, options))([x], dy);
          const y = layer.call(x, { ...options, gradient: true });
          const { dx, dgamma } = layer.backward(dy);
          expectClose(grads[0], dx, 6);
          if (!training || !trainable) expectClose(value, y, 6);
          expect(dgamma === null).toBe(!trainable);
          layer.dispose();
        }
      }
    }
  });

  it("lets an optimizer train gamma and beta, and the statistics follow", async () => {
    const layer = layerOf({ momentum: 0.5 });
    const before = await layer.state();
    const x = draw(5);
    const optimizer = tf.train.sgd(0.1);
    const loss = () => tf.mean(tf.square(tf.sub(layer.call(x, { training: true }), 1))) as tf.Scalar;
    const first = optimizer.minimize(loss, true)!;
    for (let step = 0; step < 20; step++) optimizer.minimize(loss);
    const last = optimizer.minimize(loss, true)!;
    expect(values(last)[0]).toBeLessThan(values(first)[0] / 2);
    const after = await layer.state();
    expect(after.parameters).not.toEqual(before.parameters);
    expect(after.statistics).not.toEqual(before.statistics);
  });

  it("a frozen layer is out of an optimizer's reach, bit for bit", async () => {
    const layer = layerOf();
    layer.freeze();
    const before = await layer.state();
    const shift = tf.variable(tf.zeros([1]));
    const loss = () => tf.mean(tf.square(layer.call(tf.add(draw(6), shift), { training: true }))) as tf.Scalar;
    tf.train.sgd(0.1).minimize(loss);
    expect(await layer.state()).toEqual(before);
    expect(values(shift)[0]).not.toBe(0);
    const { grads } = tf.variableGrads(loss);
    expect(Object.keys(grads)).toContain(shift.name);
    expect(Object.keys(grads)).not.toContain(layer.gamma!.name);
  });

  it("works without gamma, without beta, and without both", () => {
    for (const config of [{ scale: false }, { center: false }, { scale: false, center: false }]) {
      const layer = layerOf(config);
      const [x, dy] = [draw(7), draw(8)];
      const parameters = [layer.gamma, layer.beta].filter((each) => each !== null);
      const got = tf.grads((x: tf.Tensor) => layer.call(x, { training: true }))([x, ...parameters], dy);
      const [gamma, beta] = [layer.gamma ?? tf.ones([3]), layer.beta ?? tf.zeros([3])];
      const wanted = tf.grads(reference)([x, gamma, beta], dy);
      expectClose(got[0], wanted[0]);
      if (layer.gamma) expectClose(got[1], wanted[1]);
      if (layer.beta) expectClose(got.at(-1)!, wanted[2]);
    }
  });

  it("takes part in gradients of gradients", () => {
    const layer = layerOf();
    const [x, dy, weights] = [draw(9), draw(10), draw(11)];
    const { gamma, beta } = layer;
    // The gradient penalty: a function of the gradient, differentiated by x, by gamma, and by dy.
    const penalty = (pass: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor, dy: tf.Tensor) =>
      tf.sum(tf.mul(tf.square(tf.grad(pass)(x, dy)), weights)) as tf.Scalar;
    const ours = penalty((x) => layer.call(x, { training: true }));
    const theirs = penalty((x) => reference(x, gamma!, beta!));
    const by = (f: (x: tf.Tensor, dy: tf.Tensor) => tf.Scalar) => [
      ...tf.grads(f)([x, dy]),
      tf.variableGrads(() => f(x, dy), [gamma!]).grads[gamma!.name],
    ];
    const wanted = by(theirs);
    for (const [index, gradient] of by(ours).entries()) expectClose(gradient, wanted[index], 3);
  });

  it("takes part in gradients of gradients of its parameters, and past moving statistics", () => {
    const layer = layerOf();
    const [x, dy] = [draw(12), draw(13)];
    // dgamma = sum(dy xHat): its gradient by x is that of the batch's xHat, and of the constant one in inference.
    const byGamma = (training: boolean) => (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grads(() => layer.call(x, { training }))([layer.gamma!], dy)[0])) as tf.Scalar;
    const inTraining = tf.grad((x: tf.Tensor) =>
      tf.sum(tf.square(tf.grads((gamma: tf.Tensor) => reference(x, gamma, layer.beta!))([layer.gamma!], dy)[0])),
    )(x);
    expectClose(tf.grad(byGamma(true))(x), inTraining, 3);
    const state = { mean: tf.tensor([0.5, -0.25, 0], [1, 3, 1]), variance: tf.tensor([2, 0.5, 1], [1, 3, 1]) };
    const frozenLayer = layerOf();
    const inInference = (x: tf.Tensor): tf.Scalar => {
      const xHat = tf.div(tf.sub(x, state.mean), tf.sqrt(tf.add(state.variance, EPSILON)));
      return tf.sum(tf.square(tf.sum(tf.mul(dy, xHat), [0, 2])));
    };
    const got = tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.grads(() => frozenLayer.call(x))([frozenLayer.gamma!], dy)[0])))(x);
    expectClose(got, tf.grad(inInference)(x), 4);
  });

  it("takes part in an inner gradient of a pass that the outer tape has recorded", () => {
    const layer = layerOf();
    const [x, dy] = [draw(16), draw(17)];
    const squared = (pass: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => {
      const y = pass(x);
      return tf.sum(tf.square(tf.grad(() => tf.mul(y, dy))(x))) as tf.Scalar;
    };
    const got = tf.grad(squared((x) => layer.call(x, { training: true })))(x);
    expectClose(got, tf.grad(squared((x) => reference(x, layer.gamma!, layer.beta!)))(x), 3);
  });

  it("under a mask, takes part in gradients of gradients as the visible elements do", () => {
    const layer = layerOf();
    const x = draw(14);
    // The second sample is hidden: its own gradient is linear, and the others are those of a batch without it.
    const mask = tf.tensor([1, 1, 0, 0, 1, 1, 1, 1], [4, 2], "bool");
    const penalty = (x: tf.Tensor, mask: tf.Tensor | null, dy: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((x: tf.Tensor) => layer.call(x, { training: true, mask }))(x, dy))) as tf.Scalar;
    const dy = tf.mul(draw(15), tf.reshape(tf.cast(mask, "float32"), [4, 1, 2]));
    const without = (tensor: tf.Tensor): tf.Tensor => tf.concat([tf.slice(tensor, 0, 1), tf.slice(tensor, 2, 2)]);
    const got = tf.grad((x: tf.Tensor) => penalty(x, mask, dy))(x);
    const wanted = tf.grad((x: tf.Tensor) => penalty(x, null, without(dy)))(without(x));
    expectClose(without(got), wanted, 4);
  });
});
