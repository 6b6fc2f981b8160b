import type { Tensor, TensorInfo, Tf } from "../../tf.ts";

/** What tfjs-backend-webgpu 4.22 has of this. */
export interface WebgpuLike {
  runWebGPUProgram(program: object, inputs: readonly Tensor[], dtype: string, uniforms: readonly object[]): TensorInfo;
}

/** A program that computes each element of a float32 output by itself. */
export interface ElementProgram {
  /** Names the code: programs are kept by it, and by the shapes and names of the inputs. */
  readonly key: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputShape: readonly number[];
  /** Float32 constants that the code reads as `uniforms.name`. */
  readonly constants?: Readonly<Record<string, number>>;
  /** WGSL that sets the element at `index`. Of an input x it may use tfjs's `getX` and the like. */
  readonly code: string;
}

/** Invocations in a workgroup, as tfjs has them for such a kernel. */
const WORKGROUP = 128;

/** Told by what it has, since its class belongs to a package that a project may not use. */
export function isWebgpu(backend: object): backend is WebgpuLike {
  return typeof (backend as Partial<WebgpuLike>).runWebGPUProgram === "function";
}

/** The output of a program. */
export function runOnWebgpu(tf: Tf, webgpu: WebgpuLike, { key, inputs, outputShape, constants = {}, code }: ElementProgram): Tensor {
  const size = outputShape.reduce((product, length) => product * length, 1);
  const program = {
    shaderKey: `@batchnorm/1/${key}`,
    // tfjs adds them to the key, and makes functions of each.
    variableNames: Object.keys(inputs),
    outputShape,
    dispatchLayout: { x: outputShape.map((_, axis) => axis) },
    dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    uniforms: Object.keys(constants)
      .map((name) => `${name} : f32,`)
      .join(" "),
    getUserCode: () => `fn main(index : i32) { if (index < uniforms.size) { ${code} } }`,
  };
  const uniforms = Object.values(constants).map((value) => ({ type: "float32", data: [value] }));
  return tf.engine().makeTensorFromTensorInfo(webgpu.runWebGPUProgram(program, Object.values(inputs), "float32", uniforms));
}
