import type { Tensor, Tf } from "../../tf.ts";
import { runOnWebgpu, type WebgpuLike } from "./webgpu.ts";

/** What normalizes x; the others have the rank of x, or one axis, and are broadcast. */
export interface Spread {
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly offset?: Tensor | undefined;
  readonly scale?: Tensor | undefined;
}

/**
 * scale * (x - mean) / sqrt(variance + epsilon) + offset as one program. That of `tf.batchNorm` takes x * r - mean * r, of which both
 * are infinite on a constant channel of 3e38 (tfjs-backend-webgpu 4.22); as ops it would be one pass more.
 */
export function webgpuNormalize(tf: Tf, webgpu: WebgpuLike, { x, mean, variance, offset, scale }: Spread, epsilon: number): Tensor {
  return runOnWebgpu(tf, webgpu, {
    key: "normalize",
    inputs: { x, mean, variance, ...(offset && { offset }), ...(scale && { scale }) },
    outputShape: x.shape,
    constants: { epsilon },
    code: `
      let inverseDeviation = inverseSqrt(getVarianceByOutputIndex(index) + uniforms.epsilon);
      let slope = ${scale ? "getScaleByOutputIndex(index)" : "1.0"} * inverseDeviation;
      let offset = ${offset ? "getOffsetByOutputIndex(index)" : "0.0"};
      setOutputAtIndex(index, (getXByOutputIndex(index) - getMeanByOutputIndex(index)) * slope + offset);
    `,
  });
}
