/** Why a layer was not folded. */
export type FoldReason =
  | "training-mode" // it normalizes with the statistics of the batch
  | "not-spatial" // spatial = 0: it has statistics per position
  | "not-constant" // a parameter, statistic or weight is computed at run time
  | "overridable" // a caller may feed other values for its arrays or the weights
  | "negative-variance" // a variance is negative
  | "non-finite" // a parameter or statistic is not finite
  | "overflow" // a folded weight would be too large for its type
  | "in-function" // its node belongs to a function that is called more than once
  | "no-neighbour" // neither before nor after it is a Conv, ConvTranspose, Gemm or MatMul
  | "not-linear" // something that is not linear stands between it and the nearest such node
  | "several-consumers" // the tensor between the two nodes is used elsewhere, too
  | "graph-output" // the tensor between the two nodes is an output of the graph
  | "other-axis" // its channels are not the channels of the node beside it
  | "padding" // the node after it pads with zeros, and the layer does not map 0 to 0
  | "uneven-shift" // what the node after it makes of a constant differs from place to place
  | "old-opset"; // the node beside it would need an addition, which before opset 7 did not broadcast

/** A layer that cannot be folded, and why, in a sentence. */
export interface Refusal {
  readonly code: FoldReason;
  readonly why: string;
}

export function refusal(code: FoldReason, why: string): Refusal {
  return { code, why };
}

export function isRefusal<Other extends object>(value: Refusal | Other): value is Refusal {
  return "why" in value;
}
