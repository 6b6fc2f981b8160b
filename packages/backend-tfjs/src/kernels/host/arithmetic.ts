import { type ChannelNumbers, createKernels, type Kernels, Normalizer, updateMovingStatistics } from "@batchnorm/backend-cpu/kernels";
import type { TensorInfo } from "../../tf.ts";
import { type Arithmetic, DOWNSCALE, type NormalizeInputs } from "../arithmetic.ts";
import type { HostMemory } from "./memory.ts";

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** One set for the process, made when it is first needed: the kernels keep nothing between calls. */
let kernels: Kernels | null = null;

/** Nor does this, which is set anew by every call: the one of the last number of channels. */
let normalizer = new Normalizer(0);

/**
 * The arithmetic of backend-cpu on the memory in which tfjs's cpu and wasm backends keep their tensors: SIMD where it runs, one
 * rounding to float32 an element, float64 sums. What tfjs's own ops make of the same closed form takes six times as long on
 * wasm (tfjs 4.22, [8, 56, 56, 64]).
 */
export function hostArithmetic(memory: HostMemory): Arithmetic<TensorInfo> {
  kernels ??= createKernels();
  const { moments, normalize, gradients, inputGradient } = kernels;
  const floats = (tensor: TensorInfo): Float32Array => memory.elements(tensor) as Float32Array;
  const bools = (tensor: TensorInfo): Uint8Array => memory.elements(tensor) as Uint8Array;
  const store = (values: ArrayLike<number>): TensorInfo => {
    const tensor = memory.allocate([values.length]);
    floats(tensor).set(values);
    return tensor;
  };
  const normalizerOf = (inputs: Omit<NormalizeInputs<TensorInfo>, "x">, channels: number, epsilon: number): Normalizer => {
    const { gamma, beta } = inputs;
    const { mean, variance } = statisticsOf(inputs, floats);
    if (normalizer.channels !== channels) normalizer = new Normalizer(channels);
    normalizer.set(mean, variance, epsilon, gamma ? floats(gamma) : null, beta ? floats(beta) : null);
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
      const remainder = new Float32Array(view.channels);
      const downscale = new Float32Array(view.channels);
      for (let c = 0; c < view.channels; c++) {
        remainder[c] = Number.isFinite(mean[c]) ? mean[c] - Math.fround(mean[c]) : 0;
        downscale[c] = variance[c] > LARGEST_FLOAT32 && variance[c] < Number.POSITIVE_INFINITY ? DOWNSCALE : 1;
        variance[c] *= downscale[c] * downscale[c];
      }
      const found = [store(mean), store(variance), store(remainder), store(downscale)];
      return mask === undefined ? found : [...found, scalar(n)];
    },

    movingAverage({ movingMean, movingVariance, count, ...batch }, { view, ...options }) {
      const after = [store(floats(movingMean)), store(floats(movingVariance))];
      const n = count === undefined ? view.outer * view.inner : floats(count)[0];
      if (n === 0) return after;
      const { mean, variance } = statisticsOf(batch, floats);
      updateMovingStatistics({ movingMean: floats(after[0]), movingVariance: floats(after[1]) }, mean, variance, n, options);
      return after;
    },

    normalize({ x, ...inputs }, { view, epsilon }) {
      const y = memory.allocate(x.shape);
      normalize(floats(x), floats(y), view, normalizerOf(inputs, view.channels, epsilon));
      return [y];
    },

    gradients({ dy, x, mask, count, ...inputs }, { view, epsilon, ofParameters, throughStatistics }) {
      // First, since it may detach every view: the mask's is needed to the end.
      const dx = memory.allocate(dy.shape);
      const n = count === undefined ? view.outer * view.inner : floats(count)[0];
      // Where a mask hides everything, moving statistics normalized.
      const batch = throughStatistics && n > 0 ? { n, mask: mask ? bools(mask) : null } : null;
      const dgamma = new Float64Array(view.channels);
      const dbeta = new Float64Array(view.channels);
      const compute = batch !== null || ofParameters ? gradients : inputGradient;
      compute(floats(dy), floats(x), floats(dx), view, normalizerOf(inputs, view.channels, epsilon), batch, dgamma, dbeta);
      return ofParameters ? [dx, store(dgamma), store(dbeta)] : [dx];
    },
  };

  function scalar(value: number): TensorInfo {
    const tensor = memory.allocate([]);
    floats(tensor)[0] = value;
    return tensor;
  }
}

/** What a mean with its remainder and a variance with its downscale stand for, `[channels]`; see `Operands`. */
function statisticsOf(
  { mean, variance, remainder, downscale }: Omit<NormalizeInputs<TensorInfo>, "x">,
  floats: (tensor: TensorInfo) => Float32Array,
): { mean: ChannelNumbers; variance: ChannelNumbers } {
  if (remainder === undefined || downscale === undefined) return { mean: floats(mean), variance: floats(variance) };
  const means = new Float64Array(floats(mean));
  const variances = new Float64Array(floats(variance));
  const remainders = floats(remainder);
  const scales = floats(downscale);
  for (let c = 0; c < means.length; c++) {
    means[c] += remainders[c];
    variances[c] /= scales[c] * scales[c];
  }
  return { mean: means, variance: variances };
}
