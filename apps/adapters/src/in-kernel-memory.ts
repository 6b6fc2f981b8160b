import type { CpuBackend, CpuLayer } from "@batchnorm/backend-cpu";
import type { Backend, FloatTensor, HostTensor, MaskTensor } from "@batchnorm/spec";

/**
 * A backend whose tensors all lie in kernel memory, results included, where its threads work on them. For the conformance suite, which
 * has plain tensors otherwise.
 *
 * @throws Error where the threads do not start.
 */
export async function inKernelMemory(backend: CpuBackend): Promise<Backend<FloatTensor, "sync", MaskTensor>> {
  if ((await backend.ready) === 1) throw new Error("The threads of the CPU backend did not start: is this page cross-origin isolated?");
  return {
    ...backend,
    create: (config, state) => layerInKernelMemory(backend, backend.create(config, state)),
    upload: ((tensor: HostTensor) => {
      const uploaded = backend.upload(tensor);
      const allocated = allocateLike(backend, uploaded);
      if (allocated !== null) allocated.data.set(uploaded.data);
      return allocated ?? uploaded;
    }) as CpuBackend["upload"],
  };
}

/** The layer, with an output in kernel memory where the caller gives none. */
function layerInKernelMemory(backend: CpuBackend, layer: CpuLayer): CpuLayer {
  const call: CpuLayer["call"] = (x, options) => layer.call(x, withOut(backend, x, options));
  const backward: CpuLayer["backward"] = (dy, options) => layer.backward(dy, withOut(backend, dy, options));
  return new Proxy(layer, {
    get: (target, name) => {
      if (name === "call") return call;
      if (name === "backward") return backward;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

/** The options, with an output like `tensor`. Options that the layer has to refuse stay what they are. */
function withOut<Options extends { readonly out?: FloatTensor | null | undefined }>(
  backend: CpuBackend,
  tensor: FloatTensor,
  options: Options | undefined,
): Options {
  const isPlain = options === undefined || (options !== null && Object.getPrototypeOf(options) === Object.prototype);
  return isPlain ? ({ ...options, out: options?.out ?? allocateLike(backend, tensor) } as Options) : options;
}

/** A tensor in kernel memory of the same shape; null for what cannot lie there, such as a mask or a mistake of a test. */
function allocateLike(backend: CpuBackend, tensor: FloatTensor): FloatTensor | null {
  if (!(tensor?.data instanceof Float32Array)) return null;
  try {
    const allocated = backend.alloc(tensor.shape);
    return allocated.data.length === tensor.data.length ? allocated : null;
  } catch {
    return null;
  }
}
