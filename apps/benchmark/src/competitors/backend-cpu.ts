import { type CpuBackend, type CpuOptions, createBackend } from "@batchnorm/backend-cpu";
import type { FloatTensor, HostTensor, Layer } from "@batchnorm/spec";
import { fromBfloat16, fromFloat16, type HalfDType, halfBits, toBfloat16, toFloat16 } from "@batchnorm/spec/half";
import type { Competitor, Contender } from "../competitor.ts";
import { ALLOC, ALLOC_BFLOAT16, ALLOC_FLOAT16, ARRAYS, NEW_OUTPUTS, PLAIN_TYPESCRIPT, THREADS } from "../names.ts";
import type { Task } from "../task.ts";

export const plainTypeScript = (): Promise<Competitor> => backendCpu(PLAIN_TYPESCRIPT, { kernels: "plain" }, "arrays");
export const plainArrays = (): Promise<Competitor> => backendCpu(ARRAYS, {}, "arrays");
export const newOutputs = (): Promise<Competitor> => backendCpu(NEW_OUTPUTS, {}, "new outputs");
export const alloc = (): Promise<Competitor> => backendCpu(ALLOC, {}, "alloc");
export const threads = (): Promise<Competitor> => backendCpu(THREADS, { threads: 2 }, "alloc");

/** Tensors in plain arrays or in kernel memory, and the outputs given, so that no call allocates; or plain arrays without `out`. */
type Tensors = "arrays" | "alloc" | "new outputs";

async function backendCpu(name: string, options: CpuOptions, tensors: Tensors): Promise<Competitor> {
  const backend = createBackend(options);
  await backend.ready;
  return { name, prepare: async (task) => contender(backend, task, tensors) };
}

function contender(backend: CpuBackend, task: Task, tensors: Tensors): Contender {
  const { shape } = task;
  const tensor = (data: Float32Array | null): { data: Float32Array; shape: readonly number[] } => {
    const made = tensors === "alloc" ? backend.alloc(shape) : { data: new Float32Array(task.x.length), shape };
    if (data !== null) made.data.set(data);
    return made;
  };
  const { layer, x, out, dy, dx, options, run } = prepared(backend, task, tensor, tensors !== "new outputs");
  return {
    run,
    results: () => {
      const y = layer.call(x, options).data.slice() as Float32Array;
      const { movingMean, movingVariance } = layer.state().statistics;
      if (dy === null) return { y, movingMean, movingVariance };
      const gradients = layer.backward(dy, { out: dx });
      const [dxData, dgamma, dbeta] = [gradients.dx, gradients.dgamma, gradients.dbeta].map((each) => each?.data as Float32Array);
      return { y, movingMean, movingVariance, dx: dxData, dgamma, dbeta };
    },
    dispose: () => {
      layer.dispose();
      for (const each of [x, out, dy, dx]) if (each !== null) backend.release(each);
    },
  };
}

/** A layer and its tensors, and the call that is timed. `givesOutputs` says whether results are written into tensors that exist. */
function prepared<Made extends FloatTensor | HostTensor<Uint16Array>>(
  backend: CpuBackend,
  { work, axis, epsilon, momentum, state, x: xs, dy: dys }: Task,
  tensor: (data: Float32Array | null) => Made,
  givesOutputs: boolean = true,
) {
  const layer = backend.create({ axis, epsilon, momentum }, state) as Layer<Made, "sync">;
  const gradient = work === "forward + backward";
  const [x, out] = [tensor(xs), givesOutputs ? tensor(null) : null];
  const [dy, dx] = gradient ? [tensor(dys), givesOutputs ? tensor(null) : null] : [null, null];
  const options = { training: work !== "inference", gradient, out };
  const run = (): void => {
    layer.call(x, options);
    if (dy !== null) layer.backward(dy, { out: dx });
  };
  return { layer, x, out, dy, dx, options, run };
}

/** The same in half precision, in kernel memory. */
export async function allocHalf(dtype: HalfDType): Promise<Competitor> {
  const backend = createBackend();
  const name = dtype === "float16" ? ALLOC_FLOAT16 : ALLOC_BFLOAT16;
  return { name, prepare: async (task) => halfContender(backend, task, dtype) };
}

function halfContender(backend: CpuBackend, task: Task, dtype: HalfDType): Contender {
  const { shape, axis, epsilon, momentum, state } = task;
  const [encode, decode] = dtype === "float16" ? [toFloat16, fromFloat16] : [toBfloat16, fromBfloat16];
  const bits = (data: Float32Array): Uint16Array => Uint16Array.from(data, encode);
  const tensor = (data: Float32Array | null): HostTensor<Uint16Array> => {
    const made = halfBits(backend.alloc(shape, dtype).data);
    if (data !== null) made.set(bits(data));
    return { data: made, shape, dtype };
  };
  const { layer, x, dy, dx, options, run } = prepared(backend, task, tensor);
  return {
    run,
    // The bounds of the others are those of float32. These have to be the rounded bits of float32 tensors with the same numbers.
    results: () => {
      const wide = ({ data }: HostTensor<Uint16Array>) => ({ data: Float32Array.from(data, decode), shape });
      const other = backend.create({ axis, epsilon, momentum }, state);
      const y = other.call(wide(x), { ...options, out: null });
      expectRounded(layer.call(x, options), bits(y.data), dtype);
      if (dy !== null) expectRounded(layer.backward(dy, { out: dx }).dx, bits(other.backward(wide(dy)).dx.data), dtype);
      other.dispose();
      return null;
    },
    dispose: () => layer.dispose(),
  };
}

function expectRounded({ data }: HostTensor<Uint16Array>, expected: Uint16Array, dtype: HalfDType): void {
  const k = expected.findIndex((bits, index) => bits !== data[index]);
  if (k >= 0) throw new Error(`${dtype}: element ${k} has the bits ${data[k]}, expected ${expected[k]}; not timed.`);
}
