import type * as tfjs from "@tensorflow/tfjs-core";

export type { Tensor, TensorInfo, Variable } from "@tensorflow/tfjs-core";

/**
 * What this package uses of tfjs. The namespaces of `@tensorflow/tfjs-core`, `@tensorflow/tfjs`, `@tensorflow/tfjs-node` and of
 * the script tag's global `tf` all have it.
 */
export type Tf = Pick<
  typeof tfjs,
  | "add"
  | "argMax"
  | "backend"
  | "batchNorm"
  | "cast"
  | "clone"
  | "customGrad"
  | "dispose"
  | "div"
  | "engine"
  | "env"
  | "findBackend"
  | "gather"
  | "getBackend"
  | "getKernel"
  | "greater"
  | "isFinite"
  | "keep"
  | "max"
  | "maximum"
  | "mul"
  | "notEqual"
  | "onesLike"
  | "pad"
  | "ready"
  | "registerKernel"
  | "reshape"
  | "rsqrt"
  | "setBackend"
  | "slice"
  | "square"
  | "sub"
  | "sum"
  | "Tensor"
  | "tensor"
  | "tidy"
  | "variable"
  | "where"
  | "zeros"
  | "zerosLike"
>;

/**
 * Runs work with the backend of that name as the active one; with null, on whichever is active.
 *
 * `work` must be synchronous: another backend than the active one is in force for its duration only.
 */
export function onBackend<Value>(tf: Tf, backendName: string | null, work: () => Value): Value {
  const before = tf.getBackend();
  if (backendName === null || before === backendName) return work();
  // Both are initialized, so neither of these promises has anything to wait for: tfjs 4.22 switches before it returns them.
  void tf.setBackend(backendName);
  try {
    return work();
  } finally {
    void tf.setBackend(before);
  }
}
