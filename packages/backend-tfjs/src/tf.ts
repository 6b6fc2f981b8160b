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
  | "onesLike"
  | "pad"
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
