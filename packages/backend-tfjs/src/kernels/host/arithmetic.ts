import type { TensorInfo } from "../../tf.ts";
import type { Arithmetic } from "../arithmetic.ts";
import { batchGradient, gradientSums } from "./gradients.ts";
import type { HostMemory } from "./memory.ts";
import { moments } from "./moments.ts";
import { normalize } from "./normalize.ts";

/**
 * The arithmetic as plain loops over the memory in which tfjs's cpu and wasm backends keep their tensors: no copy, one rounding
 * to float32 an element, float64 sums. On [8, 56, 56, 64] a training step through these loops takes 12 ms on wasm, the same
 * closed form out of tfjs 4.22's own ops 77 ms, and tfjs's own differentiation 163 ms.
 */
export function hostArithmetic(memory: HostMemory): Arithmetic<TensorInfo> {
  const floats = (tensor: TensorInfo): Float32Array => memory.elements(tensor) as Float32Array;
  const bools = (tensor: TensorInfo): Uint8Array => memory.elements(tensor) as Uint8Array;
  const doubles = (tensor: TensorInfo): Float64Array => Float64Array.from(floats(tensor));
  const store = (values: Float64Array): TensorInfo => {
    const tensor = memory.allocate([values.length]);
    floats(tensor).set(values);
    return tensor;
  };
  /** gamma / sqrt(variance + epsilon) */
  const slopeOf = (variance: TensorInfo, gamma: TensorInfo | undefined, epsilon: number): Float64Array => {
    const weights = gamma === undefined ? null : floats(gamma);
    return doubles(variance).map((each, c) => (weights === null ? 1 : weights[c]) / Math.sqrt(each + epsilon));
  };

  return {
    moments({ x, mask, movingMean, movingVariance }, { view }) {
      const mean = new Float64Array(view.channels);
      const variance = new Float64Array(view.channels);
      const n = moments(floats(x), view, mask ? bools(mask) : null, mean, variance);
      if (mask === undefined) return [store(mean), store(variance)];
      if (n === 0) {
        mean.set(floats(movingMean!));
        variance.set(floats(movingVariance!));
      }
      const count = memory.allocate([]);
      floats(count)[0] = n;
      return [store(mean), store(variance), count];
    },

    normalize({ x, mean, variance, gamma, beta }, { view, epsilon }) {
      const slope = slopeOf(variance, gamma, epsilon);
      const offset = beta === undefined ? new Float64Array(view.channels) : doubles(beta);
      const y = memory.allocate(x.shape);
      normalize(floats(x), floats(y), view, doubles(mean), slope, offset);
      return [y];
    },

    gradients({ dy, x, mean, variance, gamma, mask, count }, { view, epsilon, ofParameters, throughStatistics }) {
      const inverseDeviation = slopeOf(variance, undefined, epsilon);
      const slope = slopeOf(variance, gamma, epsilon);
      const center = doubles(mean);
      const sums = new Float64Array(view.channels);
      const projections = new Float64Array(view.channels);
      if (throughStatistics || ofParameters) gradientSums(floats(dy), floats(x), view, center, sums, projections);
      const dgamma = projections.map((projection, c) => projection * inverseDeviation[c]);
      const dx = memory.allocate(dy.shape);
      if (!throughStatistics) {
        const zero = new Float64Array(view.channels);
        normalize(floats(dy), floats(dx), view, zero, slope, zero);
      } else {
        const n = count === undefined ? view.outer * view.inner : floats(count)[0];
        const shift = sums.map((sum) => sum / n);
        const pull = dgamma.map((each, c) => (each * inverseDeviation[c]) / n);
        batchGradient(floats(dy), floats(x), floats(dx), view, mask ? bools(mask) : null, center, slope, shift, pull);
      }
      return ofParameters ? [dx, store(dgamma), store(sums)] : [dx];
    },
  };
}
