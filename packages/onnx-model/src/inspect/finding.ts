/** What was noticed about a layer or a model. The sentence may change between releases, the code does not. */
export type FindingCode =
  | "never-trained" // mean 0 and variance 1 in all channels: what a layer is born with
  | "training-mode" // the layer normalizes with the batch
  | "non-finite" // a parameter or statistic is NaN or infinite
  | "negative-variance" // a variance is negative
  | "tiny-variance" // a variance that is lost beside epsilon
  | "float16-unsafe" // an array, or k or l, that float16 does not hold
  | "dead-channel" // a channel whose output is constant
  | "exploding-channel" // a channel whose gain is huge
  | "exchanged-statistics-suspected" // mean and variance look as if exchanged
  | "shared-tensor" // an array is that of another layer, or another array, too
  | "momentum-1" // training on would never move the statistics
  | "foreign-epsilon" // the default epsilon of another framework than the one that wrote the file
  | "runtime-fault" // a runtime or tool is known to compute the node wrongly
  | "overridable" // a caller may feed other arrays
  | "not-constant" // an array is computed at run time
  | "not-spatial" // statistics per position: not the layer of the spec
  | "weights-disagree" // the file's numbers are not those of the weight file beside it
  | "merged-bias" // l is that of the layer and of a bias before it
  | "no-weights" // the weight file has nothing for the layer
  | "unused-weights" // the weight file has states that belong to no layer
  | "unknown-operator" // an operator of another domain with batch normalization in its name
  | "newer-opset"; // the model is of a newer opset than this package knows

/**
 * `error`: the result is wrong or meaningless. `warning`: it probably is, or somewhere will be. `note`: worth knowing.
 */
export type Severity = "error" | "warning" | "note";

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** The layer's name; null for what concerns the model. */
  readonly layer: string | null;
  /** The first of the channels concerned, at most 8; empty for what concerns all. */
  readonly channels: readonly number[];
  /** How many channels are concerned. */
  readonly count: number;
  /** What was found, in words and numbers. */
  readonly sentence: string;
  /** Where more is to be read, such as the issue of a runtime. */
  readonly reference: string | null;
}

const SEVERITIES: Readonly<Record<FindingCode, Severity>> = {
  "never-trained": "warning",
  "training-mode": "warning",
  "non-finite": "error",
  "negative-variance": "error",
  "tiny-variance": "note",
  "float16-unsafe": "note",
  "dead-channel": "note",
  "exploding-channel": "warning",
  "exchanged-statistics-suspected": "warning",
  "shared-tensor": "note",
  "momentum-1": "note",
  "foreign-epsilon": "note",
  "runtime-fault": "warning",
  overridable: "note",
  "not-constant": "note",
  "not-spatial": "note",
  "weights-disagree": "warning",
  "merged-bias": "note",
  "no-weights": "note",
  "unused-weights": "note",
  "unknown-operator": "note",
  "newer-opset": "note",
};

export function finding(
  code: FindingCode,
  layer: string | null,
  sentence: string,
  channels: readonly number[] = [],
  reference: string | null = null,
): Finding {
  return { code, severity: SEVERITIES[code], layer, channels: channels.slice(0, 8), count: channels.length, sentence, reference };
}
