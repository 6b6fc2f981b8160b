import { createKernels, type Kernels, type Normalizer, updateMovingStatistics } from "@batchnorm/backend-cpu/kernels";
import type { TensorInfo } from "../../tf.ts";
import { type Arithmetic, DOWNSCALE, type NormalizeInputs } from "../arithmetic.ts";
import type { HostMemory } from "./memory.ts";
import { type Work, works } from "./work.ts";

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** One set for the process, made when it is first needed: the kernels keep nothing between calls. */
let kernels: Kernels | null = null;

/**
 * The arithmetic of backend-cpu on the memory in which tfjs's cpu and wasm backends keep their tensors: SIMD where it runs, one
 * rounding to float32 an element, float64 sums. What tfjs's own ops make of the same closed form takes six times as long on
 * wasm (tfjs 4.22, [8, 56, 56, 64]).
 *
 * Each kernel allocates its outputs before it looks at any elements: an allocation may detach every view.
 */
export function hostArithmetic(memory: HostMemory): Arithmetic<TensorInfo> {
  kernels ??= createKernels();
  const { moments, normalize, gradients, inputGradient } = kernels;
  const floats = (tensor: TensorInfo): Float32Array => memory.elements(tensor) as Float32Array;
  const bools = (tensor: TensorInfo): Uint8Array => memory.elements(tensor) as Uint8Array;
  const optional = (tensor: TensorInfo | undefined): Float32Array | null => (tensor === undefined ? null : floats(tensor));

  return {
    train({ x, mask, gamma, beta, movingMean, movingVariance }, { view, epsilon, wantsStatistics, ...options }) {
      const perChannel = (): TensorInfo => memory.allocate([view.channels]);
      const y = memory.allocate(x.shape);
      const after = [perChannel(), perChannel()];
      const statistics = wantsStatistics ? [perChannel(), perChannel(), perChannel(), perChannel()] : [];
      const count = wantsStatistics && mask !== undefined ? [memory.allocate([])] : [];
      const elements = floats(x);
      const moving = { movingMean: floats(after[0]), movingVariance: floats(after[1]) };
      moving.movingMean.set(floats(movingMean));
      moving.movingVariance.set(floats(movingVariance));
      const work = works.get(view.channels);
      const { mean, variance, normalizer } = work;
      const n = moments(elements, view, mask ? bools(mask) : null, mean, variance);
      if (n > 0) updateMovingStatistics(moving, mean, variance, n, options);
      else {
        mean.set(moving.movingMean);
        variance.set(moving.movingVariance);
      }
      normalizer.set(mean, variance, epsilon, optional(gamma), optional(beta));
      normalize(elements, floats(y), view, normalizer);
      if (wantsStatistics) writeStatistics(work, statistics.map(floats));
      for (const tensor of count) floats(tensor)[0] = n;
      return [y, ...after, ...statistics, ...count];
    },

    normalize({ x, ...inputs }, { view, epsilon }) {
      const y = memory.allocate(x.shape);
      normalize(floats(x), floats(y), view, normalizerOf(works.get(view.channels), inputs, epsilon));
      return [y];
    },

    gradients({ dy, x, mask, count, ...inputs }, { view, epsilon, ofParameters, throughStatistics }) {
      const dx = memory.allocate(dy.shape);
      const learned = ofParameters ? [memory.allocate([view.channels]), memory.allocate([view.channels])] : [];
      const n = count === undefined ? view.outer * view.inner : floats(count)[0];
      // Where a mask hides everything, moving statistics normalized.
      const batch = throughStatistics && n > 0 ? { n, mask: mask ? bools(mask) : null } : null;
      const work = works.get(view.channels);
      const { dgamma, dbeta } = work;
      const compute = batch !== null || ofParameters ? gradients : inputGradient;
      compute(floats(dy), floats(x), floats(dx), view, normalizerOf(work, inputs, epsilon), batch, dgamma, dbeta);
      if (!ofParameters) return [dx];
      floats(learned[0]).set(dgamma);
      floats(learned[1]).set(dbeta);
      return [dx, ...learned];
    },
  };

  function normalizerOf(work: Work, inputs: Omit<NormalizeInputs<TensorInfo>, "x">, epsilon: number): Normalizer {
    const { normalizer, mean, variance } = work;
    const { remainder, downscale } = inputs;
    mean.set(floats(inputs.mean));
    variance.set(floats(inputs.variance));
    if (remainder !== undefined && downscale !== undefined) restore(work, floats(remainder), floats(downscale));
    normalizer.set(mean, variance, epsilon, optional(inputs.gamma), optional(inputs.beta));
    return normalizer;
  }
}

/** Writes a batch's mean and variance as `[mean, variance, remainder, downscale]`, `[channels]` each; see `Operands`. */
function writeStatistics({ mean, variance }: Work, [means, variances, remainders, downscales]: readonly Float32Array[]): void {
  for (let c = 0; c < mean.length; c++) {
    const downscale = variance[c] > LARGEST_FLOAT32 && variance[c] < Number.POSITIVE_INFINITY ? DOWNSCALE : 1;
    means[c] = mean[c];
    variances[c] = variance[c] * downscale * downscale;
    remainders[c] = Number.isFinite(mean[c]) ? mean[c] - Math.fround(mean[c]) : 0;
    downscales[c] = downscale;
  }
}

/** And back: adds what float32 lost. */
function restore({ mean, variance }: Work, remainders: Float32Array, downscales: Float32Array): void {
  for (let c = 0; c < mean.length; c++) {
    mean[c] += remainders[c];
    variance[c] /= downscales[c] * downscales[c];
  }
}
