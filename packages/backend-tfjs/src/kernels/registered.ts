import type { Tensor, TensorInfo, Tf } from "../tf.ts";
import { type Arithmetic, present } from "./arithmetic.ts";
import { composedArithmetic } from "./composed/arithmetic.ts";
import { hostArithmetic } from "./host/arithmetic.ts";
import { hostMemory } from "./host/memory.ts";

/** The version is in the name: two copies of this package in one page share tfjs's registry. */
const PREFIX = "@batchnorm/1/";

type Name = keyof Arithmetic<TensorInfo>;

/** How a kernel is called whose own types are those of `Arithmetic`. */
type AnyKernel = (inputs: object, attributes: object) => TensorInfo[];

/**
 * The arithmetic on whichever tfjs backend is active, as kernels that are registered with tfjs when a backend first needs them.
 * While a kernel runs, tfjs records nothing on a tape; what it makes besides its result is freed, on errors too.
 */
export function registeredArithmetic(tf: Tf): Arithmetic<Tensor> {
  let arithmetic = registered.get(tf);
  if (arithmetic === undefined) {
    arithmetic = kernelsOf(tf);
    registered.set(tf, arithmetic);
  }
  return arithmetic;
}

const registered = new WeakMap<Tf, Arithmetic<Tensor>>();

function kernelsOf(tf: Tf): Arithmetic<Tensor> {
  const kernel = (name: Name) => {
    const kernelName = PREFIX + name;
    return (inputs: object, attributes: object): Tensor[] => {
      const backendName = tf.getBackend();
      // tfjs warns when a kernel is registered again.
      if (!tf.getKernel(kernelName, backendName)) register(tf, name, kernelName, backendName);
      return tf.engine().runKernel(kernelName, present(inputs), attributes as never);
    };
  };
  return { train: kernel("train"), normalize: kernel("normalize"), gradients: kernel("gradients") };
}

function register(tf: Tf, name: Name, kernelName: string, backendName: string): void {
  const composed = composedArithmetic(tf)[name] as AnyKernel;
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs = {} }) => {
      const host = onHost(backend);
      if (host !== null) return (host[name] as AnyKernel)(inputs, attrs);
      // The engine hands the tensors themselves to a kernel, which is typed to take less.
      return tf.tidy(() => composed(inputs, attrs) as Tensor[]);
    },
  });
}

/** By the instance of a tfjs backend: a name may come to stand for another. */
const hosts = new WeakMap<object, Arithmetic<TensorInfo> | null>();

/** The loops on the memory of a backend; null where its tensors lie on a device. */
function onHost(backend: object): Arithmetic<TensorInfo> | null {
  let arithmetic = hosts.get(backend);
  if (arithmetic === undefined) {
    const memory = hostMemory(backend);
    arithmetic = memory && hostArithmetic(memory);
    hosts.set(backend, arithmetic);
  }
  return arithmetic;
}
