import type { Elements, TensorView } from "../memory/elements.ts";
import type { KernelMemory, TensorMemory } from "../memory/kernel-memory.ts";
import { COLUMNS, GRADIENT, MASKED, MERGE, MOMENTS, NON_FINITE, NORMALIZE, PROJECTIONS, RUNS, SUMS } from "../memory/layout.generated.ts";
import type { Float32Constants } from "./float32.ts";
import { type Grid, gather, gridOf, spread } from "./grid.ts";
import { runRegion, type Sums, type Sweep, windowOf, windowsOf } from "./tiles.ts";

/** Where a row does not fit a tile, a tile has parts of so many: constants are loaded once for some rows. */
const TILE_ROWS = 4;

/** What a sweep goes through: some channels of tensors `[outer, channels, inner]`. */
export interface Slab {
  readonly memory: KernelMemory;
  readonly x: Elements;
  readonly dy: Elements | null;
  readonly out: Elements | null;
  /** What the elements are: FLOAT16, BFLOAT16, or 0 for float32. */
  readonly half: number;
  /** The channels, of those of the whole tensors. */
  readonly from: number;
  readonly to: number;
  /** The channel that the arrays begin with. */
  readonly base: number;
  /** How the arrays are gone through. No sum depends on which channels they have. */
  grid(masked: boolean): Grid;
}

/** Whole tensors, as they are. */
export function wholeTensors(tensors: TensorMemory, view: TensorView, x: Elements, dy: Elements | null, out: Elements | null): Slab {
  const grid = (masked: boolean): Grid => gridOf(view, masked);
  return { memory: tensors.find(x, dy, out), x, dy, out, half: view.half ?? 0, from: 0, to: view.channels, base: 0, grid };
}

/** out = (x - mean) * slope + offset, for channels `from` to `to` of the slab, where x may be its dy. */
export function sweepNormalize(slab: Slab, x: Elements, from: number, to: number, constants: Float32Constants): void {
  sweep(slab, NORMALIZE, from, to, x, null, slab.out, null, constants, null);
}

/** first = sum(x - origin), second = sum((x - origin)^2), over what the mask lets through. */
export function sweepMoments(slab: Slab, mask: Uint8Array | null, sums: Sums): void {
  sweep(slab, MOMENTS, slab.from, slab.to, slab.x, null, null, mask, null, sums);
}

/** first = sum(dy), second = sum(dy (x - origin)). */
export function sweepProjections(slab: Slab, sums: Sums): void {
  sweep(slab, PROJECTIONS, slab.from, slab.to, slab.x, slab.dy, null, null, null, sums);
}

/** out = dy * slope - ((x - mean) * pull + offset); dy * slope where the mask hides an element. For channels `from` to `to`. */
export function sweepGradient(slab: Slab, from: number, to: number, mask: Uint8Array | null, constants: Float32Constants): void {
  sweep(slab, GRADIENT, from, to, slab.x, slab.dy, slab.out, mask, constants, null);
}

/** The index of the first NaN or infinity of x, or -1. */
export function sweepNonFinite(tensors: TensorMemory, x: Elements, half: number): number {
  const memory = tensors.find(x);
  const { call, tile } = memory;
  const copy = memory.tiles(x).x;
  const inPlace = memory.holds(x);
  const most = inPlace ? x.length : tile;
  const windows = windowsOf(x);
  for (let start = 0; start < x.length; start += most) {
    const length = Math.min(most, x.length - start);
    if (!inPlace) copy.set(windowOf(x, windows, start, length));
    call.kernel = NON_FINITE;
    call.dy = 0;
    call.out = 0;
    call.x = inPlace ? x.byteOffset : copy.byteOffset;
    call.rows = 1;
    call.channels = 1;
    call.length = length;
    call.half = half;
    const found = memory.run();
    if (found >= 0) return start + found;
  }
  return -1;
}

/** Goes block of columns by block of columns, each chunk by chunk, and adds up the sums of its chunks. */
function sweep(
  slab: Slab,
  work: number,
  from: number,
  to: number,
  x: Elements,
  dy: Elements | null,
  out: Elements | null,
  mask: Uint8Array | null,
  constants: Float32Constants | null,
  sums: Sums | null,
): void {
  const { memory, base, half } = slab;
  const grid = slab.grid(mask !== null);
  const runs = grid.kind === "runs";
  const held = { x: memory.holds(x), dy: memory.holds(dy), out: memory.holds(out) };
  const allHeld = held.x && (dy === null || held.dy) && (out === null || held.out);
  const [first, end] = runs ? [from - base, to - base] : [0, grid.columns];
  const block = Math.min(end - first, largestBlock(grid, memory, allHeld, sums !== null));
  // A tile of whole rows, or of runs, has the strides of the tensor, so that one may be copied and another not.
  const inPlace = allHeld || runs || block === grid.columns ? held : { x: false, dy: false, out: false };
  const kernel = work + (runs ? RUNS : 0) + (mask === null ? 0 : MASKED);
  const one: Sweep = { memory, grid, kernel, x, dy, out, half, mask, constants, sums, base, inPlace };
  // What a sweep before this one left undone, because of an error, is not this one's.
  memory.pool?.clear();
  sums?.first.fill(0, from, to);
  sums?.second.fill(0, from, to);
  for (let column = first; column < end; column += block) {
    const columns = Math.min(block, end - column);
    loadConstants(one, column, columns);
    clearSums(one, columns);
    sweepBlock(one, column, columns);
    memory.pool?.run();
    collectSums(one, column, columns);
  }
}

/** How many columns may go at once: as many as there is room for constants and sums, and of what is copied some whole rows. */
function largestBlock(grid: Grid, memory: KernelMemory, allHeld: boolean, hasSums: boolean): number {
  const most = hasSums ? Math.min(COLUMNS, Math.floor(SUMS / grid.chunks)) : COLUMNS;
  if (allHeld || grid.kind === "runs" || grid.columns <= memory.tile) return most;
  return Math.min(most, memory.tile / TILE_ROWS);
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

function loadConstants({ grid, constants, sums, memory, base }: Sweep, from: number, columns: number): void {
  if (sums !== null) spread(sums.origin, memory.origin, grid, from, columns, base);
  if (constants === null) return;
  spread(constants.mean, memory.mean, grid, from, columns, base);
  spread(constants.slope, memory.slope, grid, from, columns, base);
  spread(constants.offset, memory.offset, grid, from, columns, base);
  if (constants.pull !== null) spread(constants.pull, memory.pull, grid, from, columns, base);
}

function clearSums({ sums, grid, memory }: Sweep, columns: number): void {
  if (sums === null) return;
  memory.first.fill(0, 0, grid.chunks * columns);
  memory.second.fill(0, 0, grid.chunks * columns);
}

function collectSums({ sums, grid, memory, base }: Sweep, from: number, columns: number): void {
  if (sums === null) return;
  if (grid.chunks > 1) {
    const { call } = memory;
    call.kernel = MERGE;
    call.half = 0;
    call.rows = grid.chunks;
    call.length = columns;
    memory.run();
  }
  gather(memory.first, sums.first, grid, from, columns, base);
  gather(memory.second, sums.second, grid, from, columns, base);
}
