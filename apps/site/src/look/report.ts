import type { Finding, MissingReason } from "@batchnorm/onnx-model";

/** One of the four arrays of a layer. */
export interface LookArray {
  readonly name: "gamma" | "beta" | "movingMean" | "movingVariance";
  readonly kind: "parameter" | "statistic";
  /** `[channels]`; null where it is not in the file. */
  readonly values: Float32Array | Float64Array | null;
  /** Why there are no values, in words. */
  readonly missing: string | null;
}

/** A batch normalization as the page shows it, from whatever file. Plain data: it crosses from the worker to the page. */
export interface LookLayer {
  readonly name: string;
  /** What is known of it, in short phrases. */
  readonly facts: readonly string[];
  readonly arrays: readonly LookArray[];
  readonly findings: readonly Finding[];
  /** What folding would do; null for a weight file. */
  readonly fold: string | null;
  /** Why the layer's state cannot be read; null where it can. */
  readonly reason: string | null;
}

export interface LookReport {
  readonly file: string;
  readonly facts: readonly string[];
  readonly layers: readonly LookLayer[];
  /** What concerns the whole model. */
  readonly findings: readonly Finding[];
  /** Nodes that are none, or into which a layer was folded before, in sentences. */
  readonly notes: readonly string[];
  /** Whether it is an ONNX model, which can be verified and folded. */
  readonly isModel: boolean;
}

/** What happened to a layer when the model was run. */
export interface LookVerdict {
  readonly layer: string;
  readonly right: boolean | null;
  readonly sentence: string;
}

/** What folding did, and the new file. */
export interface LookFold {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly folded: readonly string[];
  readonly kept: readonly string[];
}

export const MISSING: Readonly<Record<MissingReason, string>> = {
  "folded-into-constants": "not in the file: the exporter computed a scale and a shift from it",
  computed: "computed at run time",
  "batch-statistics": "of the batch, in training mode",
  absent: "the layer has none",
};

/** `1 layer`, `2 layers`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
