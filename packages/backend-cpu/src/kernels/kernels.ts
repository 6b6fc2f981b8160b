import type { ChannelView } from "@batchnorm/spec";
import type { Saved } from "./backward.ts";
import type { NonFiniteElement } from "./non-finite.ts";
import type { Normalizer } from "./normalizer.ts";

/**
 * The arithmetic of a layer over `[outer, channels, inner]`, all there is to compute. plain.ts has it in readable TypeScript, simd/ in
 * WebAssembly. Tensors are float32; statistics and sums are float64 `[channels]`. A mask is `[outer, inner]`, 0 hides an element.
 */
export interface Kernels {
  /** y = gamma * (x - mean) * inverseDeviation + beta. y may be x. */
  normalize(x: Float32Array, y: Float32Array, view: ChannelView, normalizer: Normalizer): void;
  /** Writes mean and population variance of what the mask lets through; returns its count per channel. They are NaN for a count of 0. */
  moments(x: Float32Array, view: ChannelView, mask: Uint8Array | null, mean: Float64Array, variance: Float64Array): number;
  /** dbeta = sum(dy), dgamma = sum(dy * xHat). */
  parameterGradients(dy: Float32Array, saved: Saved, view: ChannelView, dgamma: Float64Array, dbeta: Float64Array): void;
  /** The gradient of x, from the sums of `parameterGradients`. dx may be dy. */
  inputGradient(dy: Float32Array, dx: Float32Array, saved: Saved, view: ChannelView, dgamma: Float64Array, dbeta: Float64Array): void;
  findNonFinite(x: Float32Array, view: ChannelView): NonFiniteElement | null;
}
