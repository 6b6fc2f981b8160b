import type { Constant } from "../graph/constant.ts";
import type { Scope, Value } from "../graph/scope.ts";
import type { Axis } from "../graph/trace.ts";
import type { NodeProto } from "../proto/index.ts";
import type { VarianceMethod } from "./batch-moments.ts";

/**
 * How a batch normalization stands in a file:
 *
 *     BatchNormalization          a node of that name
 *     Mul+Add                     x k + l, where the exporter computed k = gamma / sqrt(variance + epsilon)
 *                                 and l = beta - mean k
 *     Sub+Mul+Add                 (x - mean) k + beta, where the exporter computed k
 *     unfolded                    either of these, spelled out from arrays that are all in the file
 *     moments                     training mode, spelled out with the mean and variance of the batch
 *     moments+BatchNormalization  a node whose mean and variance are those of the batch
 */
export type Form = "BatchNormalization" | "Mul+Add" | "Sub+Mul+Add" | "unfolded" | "moments" | "moments+BatchNormalization";

/** Whether moving statistics normalize, or those of the batch. */
export type LayerMode = "inference" | "training";

/** The arrays of a layer, by the names of the spec. */
export type ArrayName = "gamma" | "beta" | "movingMean" | "movingVariance";

export const ARRAY_NAMES: readonly ArrayName[] = ["gamma", "beta", "movingMean", "movingVariance"];

/** Where a layer takes an array or a number from. */
export interface Source {
  readonly value: Value;
  /**
   * The node and input at which it is read, in the layer's scope; null for one that is found only within the arithmetic
   * on constants.
   */
  readonly read: { readonly node: NodeProto; readonly index: number } | null;
  /** Null for what is computed at run time. */
  readonly constant: Constant | null;
}

/** One elementwise operation of a decomposed layer: x and a constant per channel. */
export interface Step {
  readonly node: NodeProto;
  readonly operation: "Add" | "Sub" | "Mul" | "Div";
  /** Which input of the node is the constant. */
  readonly index: number;
  readonly constant: Constant;
}

/** How sure it is that these nodes are a batch normalization. */
export type Certainty = "certain" | "likely" | "possible";

/** A layer as it was found, with everything that a change of the model needs. */
export interface Match {
  readonly form: Form;
  readonly certainty: Certainty;
  readonly scope: Scope;
  /** In the order in which x passes through them; for `moments` in that of the file. */
  readonly nodes: readonly NodeProto[];
  readonly input: string;
  readonly output: string;
  /** The axis of the channels, in the layer's input. */
  readonly axis: Axis;
  readonly channels: number | null;
  readonly mode: LayerMode;
  readonly epsilon: number | null;
  readonly momentum: number | null;
  readonly sources: Readonly<Partial<Record<ArrayName | "epsilon", Source>>>;
  /** How nodes of their own compute the variance of the batch; absent where none do. */
  readonly varianceMethod?: VarianceMethod;
  /** Empty where the layer is a node of its own. */
  readonly steps: readonly Step[];
  /** Whether each position has statistics of its own: spatial = 0, before opset 9. */
  readonly perPosition: boolean;
}

/** Something that looks like a batch normalization and is none. */
export interface LookalikeMatch {
  readonly code: LookalikeCode;
  readonly scope: Scope;
  readonly nodes: readonly NodeProto[];
}

export type LookalikeCode =
  | "instance-norm" // a normalization of each sample, written as a node over [1, samples x channels, ...]
  | "other-normalization" // scale and shift of a layer, group or instance normalization
  | "other-axis" // a scale and a shift along an axis that is not the channels of the node before it
  | "input-scaling" // mean and deviation of the input data, taken out at the model's door
  | "unknown-operator"; // an operator of another domain with batch normalization in its name
