import type { Tensor, TensorInfo, Tf } from "../../tf.ts";

/** What normalizes x; the others have the rank of x, or one axis, and are broadcast. */
export interface Spread {
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly offset?: Tensor | undefined;
  readonly scale?: Tensor | undefined;
}

/** What tfjs-backend-webgpu 4.22 has of this. */
interface WebgpuLike {
  runWebGPUProgram(program: object, inputs: readonly Tensor[], dtype: string, uniforms: readonly object[]): TensorInfo;
}

/** Invocations in a workgroup, as tfjs has them for such a kernel. */
const WORKGROUP = 128;

/** Told by what it has, since its class belongs to a package that a project may not use. */
export function isWebgpu(backend: object): backend is WebgpuLike {
  return typeof (backend as Partial<WebgpuLike>).runWebGPUProgram === "function";
}

/**
 * scale * (x - mean) / sqrt(variance + epsilon) + offset as one program. That of `tf.batchNorm` takes x * r - mean * r, of which both
 * are infinite on a constant channel of 3e38 (tfjs-backend-webgpu 4.22); as ops it would be one pass more.
 */
export function webgpuNormalize(tf: Tf, webgpu: WebgpuLike, { x, mean, variance, offset, scale }: Spread, epsilon: number): Tensor {
  const inputs = { x, mean, variance, ...(offset && { offset }), ...(scale && { scale }) };
  const program = {
    shaderKey: "@batchnorm/1/normalize",
    // tfjs adds them to the key, and makes a function of each.
    variableNames: Object.keys(inputs),
    outputShape: x.shape,
    dispatchLayout: { x: x.shape.map((_, axis) => axis) },
    dispatch: [Math.ceil(x.size / WORKGROUP), 1, 1],
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    uniforms: "epsilon : f32,",
    getUserCode: () => `
      fn main(index : i32) {
        if (index < uniforms.size) {
          let inverseDeviation = inverseSqrt(getVarianceByOutputIndex(index) + uniforms.epsilon);
          let slope = ${scale ? "getScaleByOutputIndex(index)" : "1.0"} * inverseDeviation;
          let offset = ${offset ? "getOffsetByOutputIndex(index)" : "0.0"};
          setOutputAtIndex(index, (getXByOutputIndex(index) - getMeanByOutputIndex(index)) * slope + offset);
        }
      }
    `,
  };
  const y = webgpu.runWebGPUProgram(program, Object.values(inputs), "float32", [{ type: "float32", data: [epsilon] }]);
  return tf.engine().makeTensorFromTensorInfo(y);
}
