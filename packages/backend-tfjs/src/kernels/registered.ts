import type { ChannelView } from "@batchnorm/spec";
import type { NamedTensorMap } from "@tensorflow/tfjs-core";
import type { Tensor, TensorInfo, Tf } from "../tf.ts";
import type { Arithmetic, Batch } from "./arithmetic.ts";
import { composedArithmetic } from "./composed/arithmetic.ts";
import { hostArithmetic } from "./host/arithmetic.ts";
import { hostMemory } from "./host/memory.ts";

type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

interface Attributes {
  readonly view: ChannelView;
  readonly epsilon: number;
  readonly ofParameters: boolean;
}

/** One operation as tfjs's kernels are: named tensors in, a list of tensors out. */
type Kernel = (arithmetic: Arithmetic<TensorInfo>, inputs: Inputs, attributes: Attributes) => TensorInfo[];

/** The version is in the name: two copies of this package in one page share tfjs's registry. */
const PREFIX = "@batchnorm/1/";

const KERNELS: Readonly<Record<keyof Arithmetic<TensorInfo>, Kernel>> = {
  moments(arithmetic, { x, mask, movingMean, movingVariance }, { view }) {
    const masked = mask === undefined ? null : { mask, moving: { mean: movingMean!, variance: movingVariance! } };
    const { mean, variance, remainder, downscale, count } = arithmetic.moments(x!, view, masked);
    return [mean, variance, remainder, downscale, ...(count === null ? [] : [count])];
  },
  normalize(arithmetic, inputs, { view, epsilon }) {
    const { x, mean, variance, gamma = null, beta = null } = inputs;
    return [arithmetic.normalize(x!, view, { mean: mean!, variance: variance!, batch: batchOf(inputs) }, gamma, beta, epsilon)];
  },
  gradients(arithmetic, inputs, { view, epsilon, ofParameters }) {
    const { dy, x, mean, variance, gamma = null } = inputs;
    const operands = { x: x!, mean: mean!, variance: variance!, gamma, batch: batchOf(inputs) };
    const { dx, parameters } = arithmetic.gradients(dy!, view, operands, epsilon, ofParameters);
    return parameters === null ? [dx] : [dx, parameters.dgamma, parameters.dbeta];
  },
};

/** What of a batch is among the inputs: nothing where moving statistics normalize. */
function batchOf({ mask, count, remainder, downscale }: Inputs): Batch<TensorInfo> | null {
  if (remainder === undefined || downscale === undefined) return null;
  return { mask: mask ?? null, count: count ?? null, remainder, downscale };
}

/**
 * The arithmetic on whichever tfjs backend is active, as kernels that are registered with tfjs when a backend first needs them.
 * While a kernel runs, tfjs records nothing on a tape; what it makes besides its result is freed, on errors too.
 */
export function registeredArithmetic(tf: Tf): Arithmetic<Tensor> {
  return {
    moments(x, view, masked) {
      const inputs = {
        x,
        mask: masked?.mask,
        movingMean: masked?.moving.mean,
        movingVariance: masked?.moving.variance,
      };
      const [mean, variance, remainder, downscale, count = null] = run(tf, "moments", inputs, { view });
      return { mean, variance, remainder, downscale, count };
    },
    normalize(x, view, { mean, variance, batch }, gamma, beta, epsilon) {
      return run(tf, "normalize", { x, mean, variance, gamma, beta, ...batch }, { view, epsilon })[0];
    },
    gradients(dy, view, { x, mean, variance, gamma, batch }, epsilon, ofParameters) {
      const [dx, dgamma, dbeta] = run(tf, "gradients", { dy, x, mean, variance, gamma, ...batch }, { view, epsilon, ofParameters });
      return { dx, parameters: ofParameters ? { dgamma, dbeta } : null };
    },
  };
}

function run(
  tf: Tf,
  name: keyof typeof KERNELS,
  inputs: Readonly<Record<string, Tensor | null | undefined>>,
  attributes: Partial<Attributes>,
): Tensor[] {
  const kernelName = PREFIX + name;
  const backendName = tf.getBackend();
  // tfjs warns when a kernel is registered again.
  if (!tf.getKernel(kernelName, backendName)) register(tf, kernelName, backendName, KERNELS[name]);
  const present: NamedTensorMap = {};
  for (const input in inputs) {
    const tensor = inputs[input];
    if (tensor) present[input] = tensor;
  }
  return tf.engine().runKernel(kernelName, present, attributes as never);
}

function register(tf: Tf, kernelName: string, backendName: string, kernel: Kernel): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const attributes = attrs as unknown as Attributes;
      const memory = hostMemory(backend);
      if (memory !== null) return kernel(hostArithmetic(memory), inputs, attributes);
      // The engine hands the tensors themselves to a kernel, which is typed to take less.
      return tf.tidy(() => kernel(composedArithmetic(tf) as unknown as Arithmetic<TensorInfo>, inputs, attributes) as Tensor[]);
    },
  });
}
