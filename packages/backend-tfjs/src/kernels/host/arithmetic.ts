import type { TensorInfo } from "../../tf.ts";
import { type Arithmetic, type Batch, DOWNSCALE, type Normalizer } from "../arithmetic.ts";
import { batchGradient, gradientSums } from "./gradients.ts";
import type { HostMemory } from "./memory.ts";
import { moments } from "./moments.ts";
import { normalize } from "./normalize.ts";

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

type HostNormalizer = Normalizer<TensorInfo> & { readonly batch: Batch<TensorInfo> | null };

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
  const slopeOf = ({ variance, batch }: HostNormalizer, gamma: TensorInfo | null, epsilon: number): Float64Array => {
    const weights = gamma === null ? null : floats(gamma);
    const scale = batch === null ? null : floats(batch.downscale);
    return doubles(variance).map((each, c) => {
      const downscale = scale === null ? 1 : scale[c];
      return ((weights === null ? 1 : weights[c]) * downscale) / Math.sqrt(each + epsilon * downscale * downscale);
    });
  };
  /** The mean in float64, as it was found. */
  const meanOf = ({ mean, batch }: HostNormalizer): Float64Array => {
    const remainder = batch === null ? null : floats(batch.remainder);
    return doubles(mean).map((each, c) => each + (remainder === null ? 0 : remainder[c]));
  };

  return {
    moments(x, view, masked) {
      const mean = new Float64Array(view.channels);
      const variance = new Float64Array(view.channels);
      const n = moments(floats(x), view, masked && bools(masked.mask), mean, variance);
      if (n === 0) {
        mean.set(floats(masked!.moving.mean));
        variance.set(floats(masked!.moving.variance));
      }
      const downscale = variance.map((each) => (each > LARGEST_FLOAT32 && each < Number.POSITIVE_INFINITY ? DOWNSCALE : 1));
      const rounded = mean.map(Math.fround);
      const found = {
        mean: store(rounded),
        variance: store(variance.map((each, c) => each * downscale[c] * downscale[c])),
        remainder: store(mean.map((each, c) => (Number.isFinite(each) ? each - rounded[c] : 0))),
        downscale: store(downscale),
      };
      if (masked === null) return { ...found, count: null };
      const count = memory.allocate([]);
      floats(count)[0] = n;
      return { ...found, count };
    },

    normalize(x, view, normalizer, gamma, beta, epsilon) {
      const slope = slopeOf(normalizer, gamma, epsilon);
      const offset = beta === null ? new Float64Array(view.channels) : doubles(beta);
      const y = memory.allocate(x.shape);
      normalize(floats(x), floats(y), view, meanOf(normalizer), slope, offset);
      return y;
    },

    gradients(dy, view, { x, gamma, ...normalizer }, epsilon, ofParameters) {
      const { batch } = normalizer;
      const inverseDeviation = slopeOf(normalizer, null, epsilon);
      const slope = slopeOf(normalizer, gamma, epsilon);
      const center = meanOf(normalizer);
      const sums = new Float64Array(view.channels);
      const projections = new Float64Array(view.channels);
      if (batch !== null || ofParameters) gradientSums(floats(dy), floats(x), view, center, sums, projections);
      const dgamma = projections.map((projection, c) => projection * inverseDeviation[c]);
      const dx = memory.allocate(dy.shape);
      if (batch === null) {
        const zero = new Float64Array(view.channels);
        normalize(floats(dy), floats(dx), view, zero, slope, zero);
      } else {
        const n = batch.count === null ? view.outer * view.inner : floats(batch.count)[0];
        const shift = sums.map((sum) => sum / n);
        const pull = dgamma.map((each, c) => (each * inverseDeviation[c]) / n);
        batchGradient(floats(dy), floats(x), floats(dx), view, batch.mask && bools(batch.mask), center, slope, shift, pull);
      }
      return { dx, parameters: ofParameters ? { dgamma: store(dgamma), dbeta: store(sums) } : null };
    },
  };
}
