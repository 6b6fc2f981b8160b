import type { TfjsLayer } from "@batchnorm/backend-tfjs";
import { BatchNormalization } from "@batchnorm/backend-tfjs/layers";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";
import { backendOn } from "../../src/backend.ts";

/** What is checked on a device, each by a function that throws when it does not hold. The arithmetic is the conformance suite's. */
const CHECKS: Readonly<Record<string, () => unknown>> = {
  "a call leaves its result and nothing else": () => {
    const layer = makeLayer();
    const x = draw([6, 5, 3], 1);
    const mask = tf.tensor2d(Array(30).fill(0), [6, 5], "bool");
    for (const options of [{}, { training: true, gradient: false }, { training: true, gradient: false, mask }]) {
      const before = held();
      layer.call(x, options).dispose();
      same(held(), before, JSON.stringify(options));
    }
  },
  "a hundred training steps stay flat": () => {
    const layer = makeLayer();
    const x = draw([6, 5, 3], 1);
    const optimizer = tf.train.sgd(0.01);
    const step = (): unknown => optimizer.minimize(() => tf.mean(tf.square(layer.call(x, { training: true }))) as tf.Scalar);
    step();
    const before = held();
    for (let count = 0; count < 100; count++) step();
    same(held(), before, "held");
  },
  "nothing is read back": () => {
    const layer = makeLayer();
    const [x, dy] = [draw([6, 5, 3], 1), draw([6, 5, 3], 2)];
    const mask = tf.tensor2d(Array(30).fill(0), [6, 5], "bool");
    const backend = tf.backend();
    let reads = 0;
    const { readSync, read } = backend;
    backend.readSync = (...args) => {
      reads++;
      return readSync.apply(backend, args);
    };
    backend.read = (...args) => {
      reads++;
      return read.apply(backend, args);
    };
    layer.call(x);
    layer.call(x, { training: true, mask });
    layer.backward(dy);
    tf.grads((x: tf.Tensor) => layer.call(x, { training: true }))([x, layer.gamma!], dy);
    layer.freeze();
    layer.call(x, { training: true });
    Object.assign(backend, { readSync, read });
    same(reads, 0, "reads");
  },
  "constant channels of 3e38 are not NaN, in training and in inference": async () => {
    const state = {
      parameters: { gamma: [1.5, -0.5, 0.75], beta: [0.25, 2, -1] },
      statistics: { movingMean: [3e38, -2.5e38, 1e38], movingVariance: [0.25, 0.01, 0] },
    };
    for (const shape of [
      [6, 3],
      [4, 2, 3],
      [3, 2, 2, 3],
      [2, 2, 2, 2, 3],
    ]) {
      const rows = shape.slice(0, -1).reduce((size, dimension) => size * dimension, 1);
      const x = tf.tensor(Array(rows).fill(state.statistics.movingMean).flat(), shape);
      const layer = backendOn(tf, null).create({ momentum: 1 }, state);
      for (const training of [true, false]) {
        const y = await layer.call(x, { training }).data();
        same([...y.slice(-3)], state.parameters.beta, `[${shape}], training ${training}`);
      }
    }
  },
  "the tape's gradients are those of backward": async () => {
    const layer = makeLayer();
    const [x, dy] = [draw([6, 5, 3], 1), draw([6, 5, 3], 2)];
    const gradients = tf.grads((x: tf.Tensor) => layer.call(x, { training: true }))([x, layer.gamma!, layer.beta!], dy);
    layer.call(x, { training: true });
    const { dx, dgamma, dbeta } = layer.backward(dy);
    for (const [index, wanted] of [dx, dgamma!, dbeta!].entries())
      same(await gradients[index].data(), await wanted.data(), `gradient ${index}`);
  },
  "takes part in gradients of gradients": async () => {
    const layer = makeLayer();
    const [x, dy] = [draw([6, 5, 3], 1), draw([6, 5, 3], 2)];
    const penalty = (pass: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => tf.sum(tf.square(tf.grad(pass)(x, dy))) as tf.Scalar;
    const got = await tf
      .grad(penalty((x) => layer.call(x, { training: true })))(x)
      .data();
    const wanted = await tf
      .grad(penalty((x) => spelledOut(x, layer)))(x)
      .data();
    got.forEach((value, k) => {
      if (!(Math.abs(value - wanted[k]) <= 1e-2 * (1 + Math.abs(wanted[k]))))
        throw new Error(`element ${k} is ${value}, expected ${wanted[k]}`);
    });
  },
  "a frozen layer in a CNN is left alone by fit, tfjs's own is not": async () => {
    for (const [norm, expected] of [
      [new BatchNormalization({ trainable: false }), true],
      [tf.layers.batchNormalization({ trainable: false }), false],
    ] as const) {
      const convolution = tf.layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [6, 6, 2] });
      const model = tf.sequential({ layers: [convolution, norm, tf.layers.flatten(), tf.layers.dense({ units: 2 })] });
      model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
      const weights = async (): Promise<string> => JSON.stringify(await Promise.all(norm.getWeights().map((weight) => weight.array())));
      const before = await weights();
      await model.fit(draw([8, 6, 6, 2], 1), draw([8, 2], 2), { epochs: 2, verbose: 0 });
      same((await weights()) === before, expected, norm.name);
    }
  },
};

function makeLayer(): TfjsLayer {
  const state = {
    parameters: { gamma: [1.5, -0.5, 0.75], beta: [0.25, 2, -1] },
    statistics: { movingMean: [0.5, -0.25, 0], movingVariance: [2, 0.5, 1] },
  };
  return backendOn(tf, null).create({ epsilon: 0.1 }, state);
}

/** The training pass in tfjs's own ops. */
function spelledOut(x: tf.Tensor, { gamma, beta }: TfjsLayer): tf.Tensor {
  const mean = tf.mean(x, [0, 1], true);
  const variance = tf.mean(tf.square(tf.sub(x, mean)), [0, 1], true);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.1))), gamma!), beta!);
}

function draw(shape: number[], seed: number): tf.Tensor {
  return tf.randomNormal(shape, 0, 1, "float32", seed);
}

function held(): object {
  const { numTensors, numDataBuffers } = tf.memory();
  return { numTensors, numDataBuffers, dataIds: tf.engine().backend.numDataIds() };
}

function same(got: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    throw new Error(`${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
}

/** The names of the checks. */
export function names(): string[] {
  return Object.keys(CHECKS);
}

/** Runs one check on a backend, small tensors on the device, too. Null when it holds, otherwise what is wrong. */
export async function run(backend: string, name: string): Promise<string | null> {
  tf.env().set("WEBGL_CPU_FORWARD", false);
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  if (!(await tf.setBackend(backend))) return `tfjs has no ${backend} here`;
  try {
    await CHECKS[name]();
    return null;
  } catch (error) {
    return String(error);
  }
}
