import type { Constants } from "./constants.ts";
import type { Grid } from "./grid.ts";
import type { KernelMemory, KernelName } from "./kernel-memory.ts";

/** One kernel over whole tensors. */
export interface Pass {
  readonly work: "normalize" | "moments" | "projections" | "gradient";
  readonly grid: Grid;
  readonly x: Float32Array;
  readonly dy: Float32Array | null;
  readonly out: Float32Array | null;
  /** `[outer, inner]`, or null for none. */
  readonly mask: Uint8Array | null;
  readonly constants: Constants;
  /** Where the two sums of each channel are added; null for a pass without sums. */
  readonly sums: { readonly first: Float64Array; readonly second: Float64Array } | null;
}

/** A pass in a memory, and what follows from the two. */
export interface Run extends Pass {
  readonly memory: KernelMemory;
  readonly kernel: KernelName;
  /** Whether every tensor lies in the memory. */
  readonly inPlace: boolean;
}

/** Part of a grid: `rows` from `row`, `columns` from `column`, and of each stretch `length` elements from `start`. */
export interface Region {
  row: number;
  rows: number;
  column: number;
  columns: number;
  start: number;
  length: number;
  /** Where the constants of its first column stand, and where its sums go. */
  at: number;
  into: number;
}

export function newRun(memory: KernelMemory, pass: Pass): Run {
  const { work, grid, x, dy, out, mask } = pass;
  const kernel = `${work}${grid.kind === "runs" ? "Runs" : "Columns"}${mask === null ? "" : "Masked"}` as KernelName;
  const inPlace = memory.holds(x) && (dy === null || memory.holds(dy)) && (out === null || memory.holds(out));
  return { ...pass, memory, kernel, inPlace };
}

/** The offset of a region's first element, in elements. */
export function offsetOf({ grid }: Run, { row, column, start }: Region): number {
  return (row * grid.columns + column) * grid.width + start;
}
