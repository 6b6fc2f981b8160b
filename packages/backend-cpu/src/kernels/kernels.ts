import { type ChannelView, type NonFiniteElement, rejectUnknownOptions } from "@batchnorm/spec";
import { compileKernels } from "../memory/compile.ts";
import { ALL_KERNELS } from "../memory/module.generated.ts";
import { memoryWithoutTensors } from "../memory/without-tensors.ts";
import { type EngineOptions, newEngine } from "./engine.ts";
import { type BatchElements, gradients, inputGradient, parameterGradients } from "./gradients.ts";
import { moments } from "./moments.ts";
import { findNonFinite } from "./non-finite.ts";
import { normalize } from "./normalize.ts";
import type { Normalizer } from "./normalizer.ts";

/**
 * All that batch normalization computes, over tensors `[outer, channels, inner]` in typed arrays: element (o, c, i) is number
 * `(o * channels + c) * inner + i`. The arrays may lie anywhere in the host's memory, such as in another library's WebAssembly
 * heap; nothing is kept of them when a function returns. A mask is `[outer, inner]`, one byte an element, 0 hides.
 *
 * Tensors are float32. Statistics and sums are float64 and depend on shape and data alone, not on where these lie.
 */
export interface Kernels {
  /** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta. y may be x. */
  normalize(x: Float32Array, y: Float32Array, view: ChannelView, normalizer: Normalizer): void;

  /**
   * Writes the mean and the population variance of what the mask lets through, `[channels]` each. Gives the number of elements
   * behind each; where that is 0, both are NaN.
   */
  moments(x: Float32Array, view: ChannelView, mask: Uint8Array | null, mean: Float64Array, variance: Float64Array): number;

  /** Writes dgamma = sum(dy * xHat) and dbeta = sum(dy), `[channels]` each, over all elements, hidden ones included. */
  parameterGradients(
    dy: Float32Array,
    x: Float32Array,
    view: ChannelView,
    normalizer: Normalizer,
    dgamma: Float64Array,
    dbeta: Float64Array,
  ): void;

  /**
   * The gradient of x, from what `parameterGradients` wrote. `batch` says which elements the mean and the variance were taken
   * from, null where they were moving statistics; dgamma and dbeta are read only where it is not null. dx may be dy.
   */
  inputGradient(
    dy: Float32Array,
    x: Float32Array,
    dx: Float32Array,
    view: ChannelView,
    normalizer: Normalizer,
    batch: BatchElements | null,
    dgamma: Float64Array,
    dbeta: Float64Array,
  ): void;

  /** `parameterGradients` and `inputGradient` in one, which is faster: tensors are fetched from memory once where a cache holds them. */
  gradients(
    dy: Float32Array,
    x: Float32Array,
    dx: Float32Array,
    view: ChannelView,
    normalizer: Normalizer,
    batch: BatchElements | null,
    dgamma: Float64Array,
    dbeta: Float64Array,
  ): void;

  /** The first NaN or infinity of x, and its channel; null for none. */
  findNonFinite(x: Float32Array, view: ChannelView): NonFiniteElement | null;
}

/**
 * Makes kernels: SIMD WebAssembly where it runs, plain TypeScript for small tensors, for numbers that float32 arithmetic cannot
 * hold, and everywhere else. They share some 1.5 MB of memory to work in, so one set serves all layers of a backend.
 *
 * @throws BatchNormError `invalid-argument`, and `unsupported` for `kernels: 'wasm'` where that does not run. The functions
 * throw `data-length` for arrays that do not fill their view.
 */
export function createKernels(options: EngineOptions = {}): Kernels {
  rejectUnknownOptions("The options of the kernels", options, ["kernels"]);
  const engine = newEngine(options, () => {
    const module = compileKernels(ALL_KERNELS, "plain");
    return module && memoryWithoutTensors(module);
  });
  return {
    normalize: (x, y, view, normalizer) => normalize(engine, x, y, view, normalizer),
    moments: (x, view, mask, mean, variance) => moments(engine, x, view, mask, mean, variance),
    parameterGradients: (dy, x, view, normalizer, dgamma, dbeta) => parameterGradients(engine, dy, x, view, normalizer, dgamma, dbeta),
    inputGradient: (dy, x, dx, view, normalizer, batch, dgamma, dbeta) =>
      inputGradient(engine, dy, x, dx, view, normalizer, batch, dgamma, dbeta),
    gradients: (dy, x, dx, view, normalizer, batch, dgamma, dbeta) => gradients(engine, dy, x, dx, view, normalizer, batch, dgamma, dbeta),
    findNonFinite: (x, view) => findNonFinite(engine, x, view),
  };
}
