import { createBackend } from "@batchnorm/backend-onnx";
import * as ort from "onnxruntime-web";
import type { Competitor, Contender, Results } from "../competitor.ts";
import type { Task } from "../task.ts";

/** `@batchnorm/backend-onnx` on onnxruntime-web's wasm, one thread: the same runtime as the bare one's. */
export async function backendOnnx(): Promise<Competitor> {
  ort.env.wasm.numThreads = 1;
  const backend = await createBackend({ ort, executionProviders: ["wasm"] });
  return {
    name: "backend-onnx, wasm",
    prepare: async (task) => contender(backend, task),
    dispose: () => void backend.releaseIdleSessions(),
  };
}

function contender(backend: Awaited<ReturnType<typeof createBackend>>, task: Task): Contender {
  const { work, shape, axis, epsilon, momentum, state } = task;
  const layer = backend.create({ axis, epsilon, momentum }, state);
  const [x, dy] = [task.x, task.dy].map((data) => new ort.Tensor("float32", data, shape));
  const gradient = work === "forward + backward";
  const options = { training: work !== "inference", gradient };
  return {
    // An async function by its looks: see the bare runtime.
    run: async () => {
      await layer.call(x, options);
      if (gradient) await layer.backward(dy);
    },
    results: async (): Promise<Results> => {
      const y = (await layer.call(x, options)).data as Float32Array;
      const { movingMean, movingVariance } = (await layer.state()).statistics;
      if (!gradient) return { y, movingMean, movingVariance };
      const { dx, dgamma, dbeta } = await layer.backward(dy);
      const [dxData, dgammaData, dbetaData] = [dx, dgamma, dbeta].map((each) => each?.data as Float32Array);
      return { y, movingMean, movingVariance, dx: dxData, dgamma: dgammaData, dbeta: dbetaData };
    },
    dispose: () => layer.dispose(),
  };
}
