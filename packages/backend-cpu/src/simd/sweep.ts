import type { ChannelView } from "@batchnorm/spec";
import type { Float32Constants } from "../kernels/float32.ts";
import type { KernelMemory, TensorMemory } from "../memory/kernel-memory.ts";
import { LAYOUT } from "../memory/module.generated.ts";
import { type Grid, gather, gridOf, spread } from "./grid.ts";
import { runRegion } from "./tiles.ts";
import { windowOf, windowsOf } from "./windows.ts";

const { RUNS, MASKED, NORMALIZE, MOMENTS, PROJECTIONS, GRADIENT, MERGE, NON_FINITE, COLUMNS, SUMS } = LAYOUT;

/** Rows of a block that fit a tile, at the least: constants are loaded once for some rows. */
const TILE_ROWS = 8;

/** One kernel over whole tensors, in one memory. */
export interface Sweep {
  readonly memory: KernelMemory;
  readonly grid: Grid;
  /** By the numbers of the layout. */
  readonly kernel: number;
  readonly x: Float32Array;
  readonly dy: Float32Array | null;
  readonly out: Float32Array | null;
  /** `[outer, inner]`, or null for none. */
  readonly mask: Uint8Array | null;
  /** Of a kernel without sums. */
  readonly constants: Float32Constants | null;
  /** Of a kernel with sums: what they subtract from x, and where the two of each channel go. */
  readonly sums: Sums | null;
  /** How many columns go at once. */
  readonly block: number;
  /** Which tensors lie in the memory and are worked on where they are. The others are copied, tile by tile. */
  readonly inPlace: { readonly x: boolean; readonly dy: boolean; readonly out: boolean };
}

/** float64, `[channels]` each. */
export interface Sums {
  readonly origin: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** y = (x - mean) * slope + offset. y may be x. */
export function sweepNormalize(
  memory: TensorMemory,
  x: Float32Array,
  y: Float32Array,
  view: ChannelView,
  constants: Float32Constants,
): void {
  sweep(memory.find(x, y), NORMALIZE, view, x, null, y, null, constants, null);
}

/** first = sum(x - origin), second = sum((x - origin)^2), over what the mask lets through. */
export function sweepMoments(memory: TensorMemory, x: Float32Array, view: ChannelView, mask: Uint8Array | null, sums: Sums): void {
  sweep(memory.find(x), MOMENTS, view, x, null, null, mask, null, sums);
}

/** first = sum(dy), second = sum(dy (x - origin)). */
export function sweepProjections(memory: TensorMemory, dy: Float32Array, x: Float32Array, view: ChannelView, sums: Sums): void {
  sweep(memory.find(x, dy), PROJECTIONS, view, x, dy, null, null, null, sums);
}

/** dx = dy * slope - ((x - mean) * pull + offset); dy * slope where the mask hides an element. dx may be dy. */
export function sweepGradient(
  memory: TensorMemory,
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  view: ChannelView,
  mask: Uint8Array | null,
  constants: Float32Constants,
): void {
  sweep(memory.find(x, dy, dx), GRADIENT, view, x, dy, dx, mask, constants, null);
}

/** The index of the first NaN or infinity of x, or -1. */
export function sweepNonFinite(tensors: TensorMemory, x: Float32Array): number {
  const memory = tensors.find(x);
  const { call, tile, tileX } = memory;
  const inPlace = memory.holds(x);
  const most = inPlace ? x.length : tile;
  const windows = windowsOf(x);
  for (let start = 0; start < x.length; start += most) {
    const length = Math.min(most, x.length - start);
    if (!inPlace) tileX.set(windowOf(x, windows, start, length));
    call.kernel = NON_FINITE;
    call.x = inPlace ? x.byteOffset : tileX.byteOffset;
    call.rows = 1;
    call.channels = 1;
    call.length = length;
    const found = memory.run();
    if (found >= 0) return start + found;
  }
  return -1;
}

/** Goes block of columns by block of columns, each chunk by chunk, and adds up the sums of its chunks. */
function sweep(
  memory: KernelMemory,
  work: number,
  view: ChannelView,
  x: Float32Array,
  dy: Float32Array | null,
  out: Float32Array | null,
  mask: Uint8Array | null,
  constants: Float32Constants | null,
  sums: Sums | null,
): void {
  const grid = gridOf(view, mask !== null);
  const held = memory.holds(x) && (dy === null || memory.holds(dy)) && (out === null || memory.holds(out));
  const most = Math.min(held || grid.kind === "runs" ? COLUMNS : memory.tile / TILE_ROWS, sums === null ? COLUMNS : SUMS / grid.chunks);
  const block = Math.min(grid.columns, Math.floor(most));
  // A tile of whole rows, or of runs, has the strides of the tensor, so that one may be copied and another not.
  const mixed = held || grid.kind === "runs" || block === grid.columns;
  const inPlace = { x: mixed && memory.holds(x), dy: mixed && memory.holds(dy), out: mixed && memory.holds(out) };
  const kernel = work + (grid.kind === "runs" ? RUNS : 0) + (mask === null ? 0 : MASKED);
  const one: Sweep = { memory, grid, kernel, x, dy, out, mask, constants, sums, block, inPlace };
  // What a sweep before this one left undone, because of an error, is not this one's.
  memory.pool?.clear();
  sums?.first.fill(0);
  sums?.second.fill(0);
  for (let from = 0; from < grid.columns; from += block) {
    const columns = Math.min(block, grid.columns - from);
    loadConstants(one, from, columns);
    clearSums(one, columns);
    sweepBlock(one, from, columns);
    memory.pool?.run();
    collectSums(one, from, columns);
  }
}

/** Every chunk leaves its sums behind those of the chunk before it. */
function sweepBlock(sweep: Sweep, from: number, columns: number): void {
  const { grid, memory } = sweep;
  const region = { row: 0, rows: 0, column: from, columns, start: 0, length: 0, at: 0, into: 0 };
  for (let chunk = 0; chunk < grid.chunks; chunk++) {
    region.row = Math.floor(chunk / grid.parts) * grid.chunkRows;
    region.rows = Math.min(grid.chunkRows, grid.rows - region.row);
    region.start = (chunk % grid.parts) * grid.partLength;
    region.length = Math.min(grid.partLength, grid.width - region.start);
    region.into = sweep.sums === null ? 0 : chunk * columns;
    runRegion(sweep, region);
  }
  if (grid.tail <= from) return;
  // The tail adds to the sums of the last chunk, so that has to be done.
  memory.pool?.run();
  region.row = grid.rows;
  region.rows = 1;
  region.columns = Math.min(columns, grid.tail - from);
  runRegion(sweep, region);
}

function loadConstants({ grid, constants, sums, memory }: Sweep, from: number, columns: number): void {
  if (sums !== null) spread(sums.origin, memory.origin, grid, from, columns);
  if (constants === null) return;
  spread(constants.mean, memory.mean, grid, from, columns);
  spread(constants.slope, memory.slope, grid, from, columns);
  spread(constants.offset, memory.offset, grid, from, columns);
  if (constants.pull !== null) spread(constants.pull, memory.pull, grid, from, columns);
}

function clearSums({ sums, grid, memory }: Sweep, columns: number): void {
  if (sums === null) return;
  memory.first.fill(0, 0, grid.chunks * columns);
  memory.second.fill(0, 0, grid.chunks * columns);
}

function collectSums({ sums, grid, memory }: Sweep, from: number, columns: number): void {
  if (sums === null) return;
  if (grid.chunks > 1) {
    const { call } = memory;
    call.kernel = MERGE;
    call.rows = grid.chunks;
    call.length = columns;
    memory.run();
  }
  gather(memory.first, sums.first, grid, from, columns);
  gather(memory.second, sums.second, grid, from, columns);
}
