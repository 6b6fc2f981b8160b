import type { BatchNormConfig, BatchNormState } from "@batchnorm/spec";
import type { OutputName } from "./format.ts";
import type { HalfDType } from "./half.ts";

/** float64 truth of one step; null where the step has no such output. */
export type Truth = Readonly<Record<OutputName, Float64Array | null>>;

/**
 * float32 outputs of one step, of a backend or of a framework; null where the step has no such output. y and dx of half
 * precision are the float32 numbers that they stand for.
 */
export type Outputs = Readonly<Record<OutputName, Float32Array | null>>;

/** One step in the life of a layer: what is set before it, what goes in, and what exact arithmetic gives. */
export interface Step {
  readonly training: boolean;
  /** Whether the layer is frozen (false) at this step. */
  readonly trainable: boolean;
  /** What an optimizer set before this step. */
  readonly parameters: { readonly gamma: Float32Array | null; readonly beta: Float32Array | null } | null;
  readonly shape: readonly number[];
  /** That of x and dy, and so of y and dx. Left out, it is float32; x and dy are given in float32 whatever it is. */
  readonly dtype?: HalfDType | undefined;
  readonly x: Float32Array;
  /** One byte an element, 0 hides; the shape of x without the channel axis. */
  readonly mask: Uint8Array | null;
  readonly dy: Float32Array | null;
  readonly truth: Truth;
  /** Mean and population variance of this batch, `[channels]`; null where the moving statistics normalize. */
  readonly batch: { readonly mean: Float64Array; readonly variance: Float64Array } | null;
  /** What real frameworks gave, by name. */
  readonly results: Readonly<Record<string, Outputs>>;
}

/** A layer and what happens to it. Vectors are read into this shape, and random cases are made in it. */
export interface Case {
  readonly id: string;
  readonly clause: string;
  readonly flags: readonly string[];
  /** The framework whose own error is shown beside the backend's; null for a case that no framework ran. */
  readonly reference: string | null;
  readonly config: BatchNormConfig;
  readonly state: BatchNormState;
  readonly steps: readonly Step[];
}
