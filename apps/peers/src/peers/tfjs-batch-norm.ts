import { type BatchNormState, type ChannelView, defineBackend, type FloatTensor, type MaskTensor, type Pass } from "@batchnorm/spec";
import * as tf from "@tensorflow/tfjs";
import type { Peer } from "../peer.ts";
import { type TfjsDevice, takeData, useDevice } from "./tfjs.ts";

type HostPass = Pass<FloatTensor, BatchNormState, MaskTensor>;

/** `tf.batchNorm` with `tf.moments`: the functions that tfjs has for who writes a layer. */
export function tfjsBatchNorm(device: TfjsDevice): Peer {
  const name = `tfjs-batchNorm/${device}`;
  return {
    name,
    title: "`tf.batchNorm` with `tf.moments` of TensorFlow.js",
    packages: ["@tensorflow/tfjs"],
    runtime: "Node",
    claims: [
      "Functions without a state: the moving average, freezing and all else that a layer has are written around them by us.",
      "Mean, variance, offset and scale have one of the two shapes that the documentation names: rank 1 where the channel axis is the last, else the shape of x.",
      "Gradients are those that tfjs derives from both functions. There are no masks, and no tensors above rank 6.",
    ],
    open: async () => {
      await useDevice(device);
      return defineBackend({ name, supports: { maxRank: 6 }, infer, train, backward });
    },
  };
}

async function infer(pass: HostPass): Promise<{ y: FloatTensor }> {
  const { x, state } = pass;
  const y = tf.tidy(() => normalize(pass, tensorOf(x), movingOf(state), parametersOf(state)));
  return { y: { data: await takeData(y), shape: x.shape } };
}

async function train(pass: HostPass): Promise<{ y: FloatTensor }> {
  const { config, x, state } = pass;
  const { movingMean, movingVariance } = state.statistics;
  const tensors = tf.tidy(() => {
    const input = tensorOf(x);
    const { mean, variance } = momentsOf(pass, input);
    const move = (old: Float32Array, fresh: tf.Tensor): tf.Tensor =>
      tf.add(tf.mul(tf.tensor1d(old), config.momentum), tf.mul(fresh, 1 - config.momentum));
    return [normalize(pass, input, { mean, variance }, parametersOf(state)), move(movingMean, mean), move(movingVariance, variance)];
  });
  const [y, mean, variance] = await Promise.all(tensors.map(takeData));
  movingMean.set(mean);
  movingVariance.set(variance);
  return { y: { data: y, shape: x.shape } };
}

async function backward({ dy, pass }: { readonly dy: FloatTensor; readonly pass: HostPass }) {
  const { x, state, mode, view } = pass;
  const names = (["gamma", "beta"] as const).filter((name) => state.parameters[name] !== null);
  const inputs = [tensorOf(x), ...names.map((name) => tf.tensor1d(state.parameters[name]!))];
  const forward = (input: tf.Tensor, ...parameters: tf.Tensor[]): tf.Tensor => {
    const statistics = mode.normalizeWith === "batch" ? momentsOf(pass, input) : movingOf(state);
    return normalize(pass, input, statistics, Object.fromEntries(names.map((name, k) => [name, parameters[k]])));
  };
  const gradients = tf.grads(forward as (...tensors: tf.Tensor[]) => tf.Tensor)(inputs, tensorOf(dy));
  tf.dispose(inputs);
  const [dx, ...others] = await Promise.all(gradients.map(takeData));
  const ofParameter = (name: "gamma" | "beta"): FloatTensor | null =>
    mode.parameterGradients && names.includes(name) ? { data: others[names.indexOf(name)], shape: [view.channels] } : null;
  return { dx: { data: dx, shape: x.shape }, dgamma: ofParameter("gamma"), dbeta: ofParameter("beta") };
}

interface Moments {
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

interface Parameters {
  readonly gamma?: tf.Tensor | undefined;
  readonly beta?: tf.Tensor | undefined;
}

function momentsOf({ view, shape, config }: HostPass, x: tf.Tensor): Moments {
  const axis = config.axis < 0 ? config.axis + shape.length : config.axis;
  const { mean, variance } = tf.moments(
    x,
    shape.map((_, k) => k).filter((k) => k !== axis),
  );
  return { mean: tf.reshape(mean, [view.channels]), variance: tf.reshape(variance, [view.channels]) };
}

function normalize({ view, shape, config }: HostPass, x: tf.Tensor, { mean, variance }: Moments, { gamma, beta }: Parameters): tf.Tensor {
  const isLast = config.axis === -1 || config.axis === shape.length - 1;
  const like = (values: tf.Tensor | undefined): tf.Tensor1D | undefined =>
    values && ((isLast ? values : inShape(values, view, shape)) as tf.Tensor1D);
  return tf.batchNorm(x, like(mean)!, like(variance)!, like(beta), like(gamma), config.epsilon);
}

/** A value for each channel, for every element of x. */
function inShape(values: tf.Tensor, { outer, channels, inner }: ChannelView, shape: readonly number[]): tf.Tensor {
  return tf.reshape(tf.broadcastTo(tf.reshape(values, [1, channels, 1]), [outer, channels, inner]), [...shape]);
}

function tensorOf({ data, shape }: FloatTensor): tf.Tensor {
  return tf.tensor(data, [...shape]);
}

function movingOf({ statistics }: BatchNormState): Moments {
  return { mean: tf.tensor1d(statistics.movingMean), variance: tf.tensor1d(statistics.movingVariance) };
}

function parametersOf({ parameters: { gamma, beta } }: BatchNormState): Parameters {
  return { gamma: gamma ? tf.tensor1d(gamma) : undefined, beta: beta ? tf.tensor1d(beta) : undefined };
}
