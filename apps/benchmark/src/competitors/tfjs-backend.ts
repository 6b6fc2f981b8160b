import { createBackend, type TfjsBackend } from "@batchnorm/backend-tfjs";
import * as tf from "@tensorflow/tfjs";
import type { Competitor, Contender, Results } from "../competitor.ts";
import { OURS_ON_TFJS_CPU, OURS_ON_TFJS_WASM } from "../names.ts";
import type { Task } from "../task.ts";

/**
 * `@batchnorm/backend-tfjs` on one of tfjs's backends; the gradient comes from the tape, as that of bare tfjs does. After `bareTfjs`,
 * which finds the wasm files.
 */
export async function backendTfjs(backend: "wasm" | "cpu"): Promise<Competitor> {
  return {
    name: backend === "wasm" ? OURS_ON_TFJS_WASM : OURS_ON_TFJS_CPU,
    prepare: async (task) => {
      await tf.setBackend(backend);
      return contender(await createBackend({ tf }), backend, task);
    },
  };
}

function contender(
  ours: TfjsBackend,
  backend: string,
  { work, shape, axis, epsilon, momentum, x: data, dy: upstream, state }: Task,
): Contender {
  const layer = ours.create({ axis, epsilon, momentum }, state);
  const [x, dy] = [tf.tensor(data, [...shape]), tf.tensor(upstream, [...shape])];
  const train = (input: tf.Tensor): tf.Tensor => layer.call(input, { training: true, gradient: false });
  const works = {
    inference: () => [layer.call(x)],
    "training forward": () => [train(x)],
    "forward + backward": () => {
      const outputs: tf.Tensor[] = [];
      const forward = (input: tf.Tensor): tf.Tensor => {
        const y = tf.keep(train(input));
        outputs.push(y);
        return y;
      };
      const parameters = [layer.gamma, layer.beta].filter((parameter) => parameter !== null);
      const gradients = tf.grads(forward as (...tensors: tf.Tensor[]) => tf.Tensor)([x, ...parameters], dy);
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
      const [y, dx, dgamma, dbeta] = await Promise.all(run().map(async (tensor) => (await tensor.data()) as Float32Array));
      const { movingMean, movingVariance } = (await layer.state()).statistics;
      const after = { movingMean, movingVariance };
      return work === "forward + backward" ? { y, ...after, dx, dgamma, dbeta } : { y, ...after };
    },
    dispose: () => {
      tf.dispose([x, dy]);
      layer.dispose();
    },
  };
}
