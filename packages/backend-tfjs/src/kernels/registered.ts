import type { Tensor, TensorInfo, Tf } from "../tf.ts";
import { type Arithmetic, present } from "./arithmetic.ts";
import { composedArithmetic } from "./composed/arithmetic.ts";
import { hostArithmetic } from "./host/arithmetic.ts";
import { hostMemory } from "./host/memory.ts";

/** The version is in the name: two copies of this package in one page share tfjs's registry. */
const PREFIX = "@batchnorm/1/";

/** How a kernel is called whose own types are those of `Arithmetic`. */
type AnyKernel = (inputs: object, attributes: object) => TensorInfo[];

/**
 * The arithmetic on whichever tfjs backend is active, as kernels that are registered with tfjs when a backend first needs them.
 * While a kernel runs, tfjs records nothing on a tape; what it makes besides its result is freed, on errors too.
 */
export function registeredArithmetic(tf: Tf): Arithmetic<Tensor> {
  const run = (name: keyof Arithmetic<TensorInfo>, inputs: object, attributes: object): Tensor[] => {
    const kernelName = PREFIX + name;
    const backendName = tf.getBackend();
    // tfjs warns when a kernel is registered again.
    if (!tf.getKernel(kernelName, backendName)) register(tf, name, kernelName, backendName);
    return tf.engine().runKernel(kernelName, present(inputs), attributes as never);
  };
  return {
    moments: (inputs, attributes) => run("moments", inputs, attributes),
    movingAverage: (inputs, attributes) => run("movingAverage", inputs, attributes),
    normalize: (inputs, attributes) => run("normalize", inputs, attributes),
    gradients: (inputs, attributes) => run("gradients", inputs, attributes),
  };
}

function register(tf: Tf, name: keyof Arithmetic<TensorInfo>, kernelName: string, backendName: string): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs = {} }) => {
      const memory = hostMemory(backend);
      if (memory !== null) return (hostArithmetic(memory)[name] as AnyKernel)(inputs, attrs);
      // The engine hands the tensors themselves to a kernel, which is typed to take less.
      return tf.tidy(() => (composedArithmetic(tf)[name] as AnyKernel)(inputs, attrs) as Tensor[]);
    },
  });
}
