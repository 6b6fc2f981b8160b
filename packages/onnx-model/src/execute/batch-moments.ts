import { createKernels, type Kernels } from "@batchnorm/backend-cpu/kernels";
import { channelView } from "@batchnorm/spec";
import { type Moments, momentsOf } from "@batchnorm/spec/moments";
import type { Values } from "./runtime.ts";

/** One set of kernels, and its 1.5 MB of memory, for all measurements; made when it is first needed. */
let kernels: Kernels | null = null;

/**
 * The moments of what a layer read (clause 19.2). float32 goes through the SIMD kernels of the CPU backend, with float64
 * sums around an element of each channel: on what the layers of a ResNet-18 read, they take a seventh of the time of two
 * passes of plain loops. They give the variance; times the count it is the centred sum, but for two roundings of float64.
 */
export function batchMoments({ data, shape }: Pick<Values, "data" | "shape">, axis: number): Moments {
  if (data instanceof Float64Array) return momentsOf({ data, shape }, axis);
  const view = channelView(shape, axis);
  const mean = new Float64Array(view.channels);
  const variance = new Float64Array(view.channels);
  kernels ??= createKernels();
  const count = kernels.moments(data, view, null, mean, variance);
  // Of nothing the kernels say NaN, and the spec 0 (clause 19.1).
  if (count === 0) return { count, mean: mean.fill(0), centeredSum: variance.fill(0) };
  return { count, mean, centeredSum: variance.map((value) => value * count) };
}
