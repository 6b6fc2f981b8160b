import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import type { Competitor, Contender, Results } from "../competitor.ts";
import { TFJS_CPU, TFJS_SPELLED_OUT, TFJS_WASM } from "../names.ts";
import type { Layout, Task } from "../task.ts";

/**
 * tfjs with the ops that its own layer is made of: `tf.batchNorm`, `tf.moments` and two moving averages; the gradient is the one that it
 * derives from them. Channels last only: with channels first the kernels of `batchNorm` take their parameters cyclically.
 */
export const bareTfjs = (backend: "wasm" | "cpu"): Promise<Competitor> =>
  competitor(backend, backend === "wasm" ? TFJS_WASM : TFJS_CPU, batchNorm, ["channels last"]);

/** The same with the formula spelled out in elementwise ops, which take any layout. */
export const spelledOutTfjs = (): Promise<Competitor> =>
  competitor("wasm", TFJS_SPELLED_OUT, spelledOut, ["channels last", "channels first"]);

/** Normalizes x; the parameters have the rank of x where they have to broadcast. */
type Normalize = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number) => tf.Tensor;

const batchNorm: Normalize = (x, mean, variance, gamma, beta, epsilon) => {
  const [m, v, g, b] = [mean, variance, gamma, beta].map((each) => tf.reshape(each, [each.size]) as tf.Tensor1D);
  return tf.batchNorm(x as tf.Tensor3D, m, v, b, g, epsilon);
};

const spelledOut: Normalize = (x, mean, variance, gamma, beta, epsilon) =>
  tf.add(tf.mul(tf.sub(x, mean), tf.mul(tf.rsqrt(tf.add(variance, epsilon)), gamma)), beta);

async function competitor(backend: string, name: string, normalize: Normalize, layouts: readonly Layout[]): Promise<Competitor> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  // As its users ship it: no checks, no advice on the terminal.
  tf.enableProdMode();
  return {
    name,
    prepare: async (task) => {
      if (!layouts.includes(task.layout)) return null;
      await tf.setBackend(backend);
      return contender(backend, task, normalize);
    },
  };
}

function contender(backend: string, task: Task, normalize: Normalize): Contender {
  const { work, layout, shape, size, momentum, epsilon, state } = task;
  const axes = layout === "channels last" ? [0, 1] : [0, 2];
  const parameterShape = layout === "channels last" ? [1, 1, size[2]] : [1, size[2], 1];
  const parameter = (data: Float32Array): tf.Tensor => tf.tensor(data, parameterShape);
  const [x, dy] = [tf.tensor(task.x, [...shape]), tf.tensor(task.dy, [...shape])];
  const [gamma, beta] = [parameter(state.parameters.gamma), parameter(state.parameters.beta)];
  const [movingMean, movingVariance] = [state.statistics.movingMean, state.statistics.movingVariance].map((data) =>
    tf.variable(parameter(data)),
  );

  const update = (variable: tf.Variable, value: tf.Tensor): void =>
    variable.assign(tf.sub(variable, tf.mul(tf.sub(variable, value), 1 - momentum)));
  const train = (input: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
    const { mean, variance } = tf.moments(input, axes, true);
    update(movingMean, mean);
    update(movingVariance, variance);
    return normalize(input, mean, variance, scale, offset, epsilon);
  };
  const works = {
    inference: () => [normalize(x, movingMean, movingVariance, gamma, beta, epsilon)],
    "training forward": () => [train(x, gamma, beta)],
    "forward + backward": () => {
      const outputs: tf.Tensor[] = [];
      const forward = (input: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
        const y = tf.keep(train(input, scale, offset));
        outputs.push(y);
        return y;
      };
      const gradients = tf.grads(forward as (...tensors: tf.Tensor[]) => tf.Tensor)([x, gamma, beta], dy);
      return [...outputs, ...gradients];
    },
  };
  const run = (): tf.Tensor[] => {
    // At once, since the backend was made ready in `prepare`; 80 microseconds, which are not part of the work (tfjs 4.22).
    if (tf.getBackend() !== backend) tf.setBackend(backend);
    return tf.tidy(works[work]);
  };
  return {
    run: () => tf.dispose(run()),
    results: async (): Promise<Results> => {
      const [y, dx, dgamma, dbeta] = run().map((tensor) => tensor.dataSync() as Float32Array);
      const after = { movingMean: movingMean.dataSync() as Float32Array, movingVariance: movingVariance.dataSync() as Float32Array };
      return work === "forward + backward" ? { y, ...after, dx, dgamma, dbeta } : { y, ...after };
    },
    dispose: () => tf.dispose([x, dy, gamma, beta, movingMean, movingVariance]),
  };
}
