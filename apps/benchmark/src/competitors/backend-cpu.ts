import { type CpuBackend, type CpuOptions, createBackend } from "@batchnorm/backend-cpu";
import type { Competitor, Contender } from "../competitor.ts";
import { ALLOC, ARRAYS, PLAIN_TYPESCRIPT, THREADS } from "../names.ts";
import type { Task } from "../task.ts";

export const plainTypeScript = (): Promise<Competitor> => backendCpu(PLAIN_TYPESCRIPT, { kernels: "plain" }, "arrays");
export const plainArrays = (): Promise<Competitor> => backendCpu(ARRAYS, {}, "arrays");
export const alloc = (): Promise<Competitor> => backendCpu(ALLOC, {}, "alloc");
export const threads = (): Promise<Competitor> => backendCpu(THREADS, { threads: 2 }, "alloc");

/** This backend, with tensors in plain arrays or in kernel memory, and the outputs given: no call allocates. */
async function backendCpu(name: string, options: CpuOptions, tensors: "arrays" | "alloc"): Promise<Competitor> {
  const backend = createBackend(options);
  await backend.ready;
  return { name, prepare: async (task) => contender(backend, task, tensors) };
}

function contender(backend: CpuBackend, task: Task, tensors: "arrays" | "alloc"): Contender {
  const { work, shape, axis, epsilon, momentum, state } = task;
  const tensor = (data: Float32Array | null): { data: Float32Array; shape: readonly number[] } => {
    const made = tensors === "alloc" ? backend.alloc(shape) : { data: new Float32Array(task.x.length), shape };
    if (data !== null) made.data.set(data);
    return made;
  };
  const layer = backend.create({ axis, epsilon, momentum }, state);
  const [x, out] = [tensor(task.x), tensor(null)];
  const gradient = work === "forward + backward";
  const [dy, dx] = gradient ? [tensor(task.dy), tensor(null)] : [null, null];
  const options = { training: work !== "inference", gradient, out };
  return {
    run: () => {
      layer.call(x, options);
      if (dy !== null) layer.backward(dy, { out: dx });
    },
    results: () => {
      const y = layer.call(x, options).data.slice() as Float32Array;
      const { movingMean, movingVariance } = layer.state().statistics;
      if (dy === null) return { y, movingMean, movingVariance };
      const { dgamma, dbeta } = layer.backward(dy, { out: dx });
      const [dxData, dgammaData, dbetaData] = [dx, dgamma, dbeta].map((each) => each?.data as Float32Array);
      return { y, movingMean, movingVariance, dx: dxData, dgamma: dgammaData, dbeta: dbetaData };
    },
    dispose: () => {
      layer.dispose();
      for (const each of [x, out, dy, dx]) if (each !== null) backend.release(each);
    },
  };
}
