import type { CpuBackend, CpuLayer } from "@batchnorm/backend-cpu";
import type { Backend, BackwardOptions, CallOptions, FloatTensor, HostTensor, MaskTensor } from "@batchnorm/spec";

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
      if (allocated !== null) bytesOf(allocated).set(bytesOf(uploaded));
      return allocated ?? uploaded;
    }) as CpuBackend["upload"],
  };
}

/** The layer, with an output in kernel memory where the caller gives none. */
function layerInKernelMemory(backend: CpuBackend, layer: CpuLayer): CpuLayer {
  const call = (x: FloatTensor, options?: CallOptions<FloatTensor, MaskTensor>) => layer.call(x, withOut(backend, x, options));
  const backward = (dy: FloatTensor, options?: BackwardOptions<FloatTensor>) => layer.backward(dy, withOut(backend, dy, options));
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

/** A tensor in kernel memory of the same shape, dtype and kind; null for what cannot lie there, such as a mask or a mistake of a test. */
function allocateLike(backend: CpuBackend, tensor: HostTensor): FloatTensor | null {
  try {
    const { data, shape, dtype } = tensor;
    if (data instanceof Float32Array) return sameLength(backend.alloc(shape), data);
    if (data instanceof Uint16Array) return dtype === undefined ? null : sameLength(bitsOf(backend.alloc(shape, dtype)), data);
    return data.BYTES_PER_ELEMENT === 2 ? sameLength(backend.alloc(shape, "float16"), data) : null;
  } catch {
    return null;
  }
}

/** The tensor, as the types name it, where it is as long as the data of another. */
function sameLength(tensor: HostTensor, data: HostTensor["data"]): FloatTensor | null {
  return tensor.data.length === data.length ? (tensor as FloatTensor) : null;
}

/** The tensor over a Uint16Array. */
function bitsOf({ data, shape, dtype }: HostTensor): HostTensor {
  return { data: new Uint16Array(data.buffer, data.byteOffset, data.length), shape, dtype };
}

function bytesOf({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
