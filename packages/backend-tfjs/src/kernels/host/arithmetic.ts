import { createKernels, type Kernels, Normalizer } from "@batchnorm/backend-cpu/kernels";
import type { ChannelView } from "@batchnorm/spec";
import type { TensorInfo } from "../../tf.ts";
import { type Arithmetic, DOWNSCALE, type NormalizeInputs } from "../arithmetic.ts";
import type { HostMemory } from "./memory.ts";

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** One set for the process, made when it is first needed: the kernels keep nothing between calls. */
let kernels: Kernels | null = null;

/**
 * The arithmetic of backend-cpu on the memory in which tfjs's cpu and wasm backends keep their tensors: SIMD where it runs, one
 * rounding to float32 an element, float64 sums. What tfjs's own ops make of the same closed form takes six times as long on
 * wasm (tfjs 4.22, [8, 56, 56, 64]).
 */
export function hostArithmetic(memory: HostMemory): Arithmetic<TensorInfo> {
  kernels ??= createKernels();
  const { moments, normalize, parameterGradients, inputGradient } = kernels;
  const floats = (tensor: TensorInfo): Float32Array => memory.elements(tensor) as Float32Array;
  const bools = (tensor: TensorInfo): Uint8Array => memory.elements(tensor) as Uint8Array;
  const store = (values: Float64Array): TensorInfo => {
    const tensor = memory.allocate([values.length]);
    floats(tensor).set(values);
    return tensor;
  };
  const normalizerOf = (
    { mean, variance, remainder, downscale, gamma, beta }: Omit<NormalizeInputs<TensorInfo>, "x">,
    view: ChannelView,
    epsilon: number,
  ): Normalizer => {
    const normalizer = new Normalizer(view.channels);
    const rest = remainder && floats(remainder);
    const scale = downscale && floats(downscale);
    const means = Float64Array.from(floats(mean), (each, c) => each + (rest?.[c] ?? 0));
    const variances = Float64Array.from(floats(variance), (each, c) => each / (scale?.[c] ?? 1) ** 2);
    normalizer.set(means, variances, epsilon, gamma ? floats(gamma) : null, beta ? floats(beta) : null);
    return normalizer;
  };

  return {
    moments({ x, mask, movingMean, movingVariance }, { view }) {
      const mean = new Float64Array(view.channels);
      const variance = new Float64Array(view.channels);
      const n = moments(floats(x), view, mask ? bools(mask) : null, mean, variance);
      if (n === 0) {
        mean.set(floats(movingMean!));
        variance.set(floats(movingVariance!));
      }
      const rounded = mean.map(Math.fround);
      const downscale = variance.map((each) => (each > LARGEST_FLOAT32 && each < Number.POSITIVE_INFINITY ? DOWNSCALE : 1));
      const found = [
        store(rounded),
        store(variance.map((each, c) => each * downscale[c] ** 2)),
        store(mean.map((each, c) => (Number.isFinite(each) ? each - rounded[c] : 0))),
        store(downscale),
      ];
      if (mask === undefined) return found;
      const count = memory.allocate([]);
      floats(count)[0] = n;
      return [...found, count];
    },

    normalize({ x, ...numbers }, { view, epsilon }) {
      const normalizer = normalizerOf(numbers, view, epsilon);
      const y = memory.allocate(x.shape);
      normalize(floats(x), floats(y), view, normalizer);
      return [y];
    },

    gradients({ dy, x, mask, count, ...numbers }, { view, epsilon, ofParameters, throughStatistics }) {
      // First, since it may detach every view: the mask's is needed to the end.
      const dx = memory.allocate(dy.shape);
      const normalizer = normalizerOf(numbers, view, epsilon);
      const n = count === undefined ? view.outer * view.inner : floats(count)[0];
      // Where a mask hides everything, moving statistics normalized.
      const batch = throughStatistics && n > 0 ? { n, mask: mask ? bools(mask) : null } : null;
      const dgamma = new Float64Array(view.channels);
      const dbeta = new Float64Array(view.channels);
      if (batch !== null || ofParameters) parameterGradients(floats(dy), floats(x), view, normalizer, dgamma, dbeta);
      inputGradient(floats(dy), floats(x), floats(dx), view, normalizer, batch, dgamma, dbeta);
      return ofParameters ? [dx, store(dgamma), store(dbeta)] : [dx];
    },
  };
}
