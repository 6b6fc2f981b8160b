import { createBackend } from "@batchnorm/backend-tfjs";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-webgpu";

export type Work = "inference" | "training forward" | "forward + backward";

/** The median milliseconds of one shape and work, and the largest difference of the two results. */
export interface Row {
  readonly work: Work;
  readonly tfjs: number;
  readonly ours: number;
  readonly difference: number;
}

const EPSILON = 1e-3;
const MOMENTUM = 0.99;

/** A sample is as many runs as take about so many milliseconds: waiting for webgl takes up to 5 by itself. */
const SAMPLE = 60;

/** Times the ops that tfjs's own layer is made of against this package on channels-last data, taking turns. */
export async function measure(backend: string, shape: number[], rounds: number): Promise<Row[]> {
  await tf.setBackend(backend);
  const channels = shape.at(-1)!;
  const [x, dy] = [tf.randomNormal(shape, 0.5), tf.randomNormal(shape)];
  const ones = new Float32Array(channels).fill(1);
  const zeros = new Float32Array(channels);
  const state = { parameters: { gamma: ones, beta: zeros }, statistics: { movingMean: zeros, movingVariance: ones } };
  const layer = (await createBackend({ tf })).create({ epsilon: EPSILON, momentum: MOMENTUM }, state);
  const own = ownLayer(channels, shape.length - 1);
  const works: Record<Work, [own: () => tf.Tensor[], ours: () => tf.Tensor[]]> = {
    inference: [() => [own.infer(x)], () => [layer.call(x)]],
    "training forward": [() => [own.train(x, own.gamma, own.beta)], () => [layer.call(x, { training: true, gradient: false })]],
    "forward + backward": [
      () => tf.grads(own.train)([x, own.gamma, own.beta], dy),
      () => tf.grads((x: tf.Tensor) => layer.call(x, { training: true, gradient: false }))([x, layer.gamma!, layer.beta!], dy),
    ],
  };
  const rows: Row[] = [];
  for (const [work, [theirs, ours]] of Object.entries(works) as [Work, (typeof works)[Work]][]) {
    const [wanted, got] = [await results(theirs), await results(ours)];
    const difference = Math.max(...wanted.map((values, index) => distance(values, got[index])));
    const times: [number[], number[]] = [[], []];
    const runs = Math.ceil(SAMPLE / (await time(ours, 1)));
    for (let round = 0; round < rounds; round++) {
      for (const [index, run] of [theirs, ours].entries()) times[index].push(await time(run, runs));
    }
    rows.push({ work, tfjs: median(times[0]), ours: median(times[1]), difference });
  }
  tf.dispose([x, dy, own.gamma, own.beta]);
  layer.dispose();
  return rows;
}

/** What tfjs-layers 4.22's BatchNormalization does, without its checks. */
function ownLayer(channels: number, axes: number) {
  const [gamma, movingVariance] = [tf.variable(tf.ones([channels])), tf.variable(tf.ones([channels]), false)];
  const [beta, movingMean] = [tf.variable(tf.zeros([channels])), tf.variable(tf.zeros([channels]), false)];
  const normalize = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor =>
    tf.batchNorm(x as tf.Tensor4D, mean as tf.Tensor1D, variance as tf.Tensor1D, beta as tf.Tensor1D, gamma as tf.Tensor1D, EPSILON);
  const update = (moving: tf.Variable, value: tf.Tensor): void =>
    moving.assign(tf.sub(moving, tf.mul(tf.sub(moving, value), 1 - MOMENTUM)));
  return {
    gamma,
    beta,
    infer: (x: tf.Tensor) => normalize(x, movingMean, movingVariance, gamma, beta),
    train: (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, [...Array(axes).keys()]);
      const y = normalize(x, mean, variance, gamma, beta);
      update(movingMean, mean);
      update(movingVariance, variance);
      return y;
    },
  };
}

/**
 * The milliseconds of a run, out of several until the device is done: it works in order, so that one element of the last result is
 * the end of all of it.
 */
async function time(run: () => tf.Tensor[], runs: number): Promise<number> {
  const start = performance.now();
  for (let count = 1; count < runs; count++) tf.tidy(() => void run());
  const last = tf.tidy(() => {
    const result = run().at(-1)!;
    return tf.slice(
      result,
      result.shape.map(() => 0),
      result.shape.map(() => 1),
    );
  });
  await last.data();
  last.dispose();
  return (performance.now() - start) / runs;
}

async function results(run: () => tf.Tensor[]): Promise<Float32Array[]> {
  const tensors = tf.tidy(run);
  const values = await Promise.all(tensors.map((tensor) => tensor.data() as Promise<Float32Array>));
  tf.dispose(tensors);
  return values;
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]) / (1 + Math.abs(value))), 0);
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
