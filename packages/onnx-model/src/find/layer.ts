import type { Numbers } from "../graph/constant.ts";
import type { ArrayName, Certainty, Form, LayerMode, LookalikeCode } from "./match.ts";
import type { TraceEvidence } from "./traces.ts";

/** What is before or after a layer: a node, or an end of the graph that the layer lies in. */
export interface Neighbour {
  readonly kind: "node" | "input" | "output" | "constant" | "outside";
  /** The node's name, or that of the graph's input or output. */
  readonly name: string;
  /** The operator of a node; null for the others. */
  readonly operator: string | null;
}

/** Why an array of a layer cannot be read from the file. */
export type MissingReason =
  | "folded-into-constants" // the exporter computed k and l of it, and did not keep it
  | "computed" // a node computes it at run time, or the caller gives it
  | "batch-statistics" // it is the mean or the variance of the batch
  | "absent"; // the layer has none

/** A batch normalization of a model. */
export interface FoundLayer {
  /** Unique in the model: what its arrays are called, or its nodes. */
  readonly name: string;
  readonly form: Form;
  readonly certainty: Certainty;
  /** The graph that it lies in: empty for the main one, else a path such as `loop/body/if/then_branch`. */
  readonly scope: string;
  /** The names of its nodes, the first one first; a node without a name goes by its operator and place. */
  readonly nodes: readonly string[];
  readonly opset: number;
  /**
   * The axis of the channels in what the layer reads. Negative, from the end, where the file does not tell the rank.
   */
  readonly axis: number;
  readonly rank: number | null;
  readonly channels: number | null;
  readonly epsilon: number | null;
  /** The weight of the old value; null where the form has none. */
  readonly momentum: number | null;
  readonly mode: LayerMode;
  readonly input: { readonly value: string; readonly from: Neighbour };
  readonly output: { readonly value: string; readonly to: readonly Neighbour[] };
  /** What is learned, `[channels]`; null where it cannot be read. */
  readonly parameters: { readonly gamma: Numbers | null; readonly beta: Numbers | null };
  /** What is estimated, `[channels]`; null where it cannot be read. */
  readonly statistics: { readonly movingMean: Numbers | null; readonly movingVariance: Numbers | null };
  /** Why an array is null. */
  readonly missing: Readonly<Partial<Record<ArrayName, MissingReason>>>;
  /**
   * What the layer does in inference, `y = multiplier x + offset`, `[channels]`, in float64; null in training mode and
   * where it cannot be told.
   */
  readonly affine: { readonly multiplier: Float64Array; readonly offset: Float64Array } | null;
  /** Each position has statistics of its own (`spatial` = 0, before opset 9): this is not the layer of the spec. */
  readonly perPosition: boolean;
  /** A caller may feed other arrays: they are initializers that are graph inputs, too. */
  readonly overridable: boolean;
}

/** Something that looks like a batch normalization and is none, and why. */
export interface Lookalike {
  readonly code: LookalikeCode;
  readonly scope: string;
  readonly nodes: readonly string[];
}

/**
 * A node into which a batch normalization was folded before the file was written. Nothing of it can be read any more.
 */
export interface FoldedTrace {
  readonly scope: string;
  readonly node: string;
  readonly operator: string;
  readonly evidence: TraceEvidence;
  /** The name or the metadata that says so. */
  readonly says: string;
}

/** Every batch normalization of a model, and what could be taken for one. */
export interface FindResult {
  readonly layers: readonly FoundLayer[];
  readonly lookalikes: readonly Lookalike[];
  readonly traces: readonly FoldedTrace[];
}
