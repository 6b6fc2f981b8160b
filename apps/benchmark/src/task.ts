import type { BatchNormState } from "@batchnorm/spec";

/** inference; a training step's forward pass with the update of the moving statistics; that pass and its backward pass. */
export type Work = "inference" | "training forward" | "forward + backward";

/** Where the channel axis lies: `[N, H*W, C]` or `[N, C, H*W]`. */
export type Layout = "channels last" | "channels first";

/** One thing to be timed: the same numbers for every competitor. */
export interface Task {
  readonly work: Work;
  readonly layout: Layout;
  /** `[N, H*W, C]`, whatever the layout: the name of the row in the report. */
  readonly size: readonly [number, number, number];
  /** The shape of x, y and dy in this layout. */
  readonly shape: readonly [number, number, number];
  /** The channel axis of `shape`: 2 or 1. */
  readonly axis: number;
  readonly epsilon: number;
  /** The weight of the old value. */
  readonly momentum: number;
  readonly x: Float32Array;
  /** The gradient of the output; used where the work has a backward pass. */
  readonly dy: Float32Array;
  /** The state before the step. */
  readonly state: BatchNormState & { readonly parameters: { readonly gamma: Float32Array; readonly beta: Float32Array } };
}
