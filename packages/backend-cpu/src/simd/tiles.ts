import type { Elements } from "../memory/elements.ts";
import type { KernelMemory } from "../memory/kernel-memory.ts";
import { MASK } from "../memory/layout.generated.ts";
import type { Pool } from "../memory/pool.ts";
import type { Float32Constants } from "./float32.ts";
import type { Grid } from "./grid.ts";

/** One kernel over the channels of a slab. */
export interface Sweep {
  readonly memory: KernelMemory;
  readonly grid: Grid;
  /** By the numbers of the layout. */
  readonly kernel: number;
  readonly x: Elements;
  readonly dy: Elements | null;
  readonly out: Elements | null;
  /** What the elements are: FLOAT16, BFLOAT16, or 0 for float32. */
  readonly half: number;
  /** `[outer, inner]`, or null for none. */
  readonly mask: Uint8Array | null;
  /** Of a kernel without sums. */
  readonly constants: Float32Constants | null;
  /** Of a kernel with sums. */
  readonly sums: Sums | null;
  /** The channel that the arrays begin with. */
  readonly base: number;
  /** Which tensors lie in the memory and are worked on where they are. The others are copied, tile by tile. */
  readonly inPlace: { readonly x: boolean; readonly dy: boolean; readonly out: boolean };
}

/** float64, `[channels]`: what is subtracted from x, and where the two sums of each channel go. */
export interface Sums {
  readonly origin: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
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

/** Up to this many bytes a tensor is taken to lie in some cache (see normalizeColumns). Measured: between 6 MB and 12 MB. */
const CACHED = 8 * 2 ** 20;

/** A thread's share of columns is a multiple of so many, that it may have cache lines of its own; of runs there are fewer. */
const SLICE = { columns: 64, runs: 8 };

/** Runs the kernel of a sweep on a region, in as few calls as the places of the tensors allow. */
export function runRegion(sweep: Sweep, region: Region): void {
  const { x, dy, out, mask, inPlace, memory } = sweep;
  const copied = !inPlace.x || (dy !== null && !inPlace.dy) || (out !== null && !inPlace.out);
  if (copied || mask !== null) runInTiles(sweep, region);
  else if (memory.pool === null || x.length < memory.pool.smallest) runInPlace(sweep, region, null);
  else runInSlices(sweep, region, memory.pool);
}

/**
 * Columns do not know of each other, so threads may divide them as they like. Rows they divide where a sweep has no sums, and
 * otherwise only as the chunks do.
 */
function runInSlices(sweep: Sweep, region: Region, pool: Pool): void {
  const slices = Math.ceil((4 * pool.size) / sweep.grid.chunks);
  const multiple = SLICE[sweep.grid.kind];
  const columns = Math.ceil(region.columns / slices / multiple) * multiple;
  const slice = { ...region };
  for (let from = 0; from < region.columns; from += columns) {
    slice.column = region.column + from;
    slice.columns = Math.min(columns, region.columns - from);
    slice.at = region.at + from;
    slice.into = region.into + from;
    runInPlace(sweep, slice, pool);
  }
}

function runInPlace(sweep: Sweep, region: Region, pool: Pool | null): void {
  const { memory, grid, x, dy, out } = sweep;
  const { call } = memory;
  const offset = x.BYTES_PER_ELEMENT * offsetOf(sweep, region);
  call.x = x.byteOffset + offset;
  call.dy = dy === null ? 0 : dy.byteOffset + offset;
  call.out = out === null ? 0 : out.byteOffset + offset;
  call.cached = x.byteLength > CACHED ? 0 : 1;
  fillCall(sweep, region, grid.columns * grid.width, grid.width);
  if (pool === null) memory.run();
  else memory.share(pool);
}

/** Tile by tile: copies in what lies elsewhere, and its part of the mask; runs the kernel; copies the result out. */
function runInTiles(sweep: Sweep, region: Region): void {
  const most = tileSize(sweep, region);
  const tile: Region = { ...region };
  const windows = { x: windowsOf(sweep.x), dy: windowsOf(sweep.dy), mask: windowsOf(sweep.mask) };
  for (let row = 0; row < region.rows; row += most.rows) {
    tile.row = region.row + row;
    tile.rows = Math.min(most.rows, region.rows - row);
    for (let column = 0; column < region.columns; column += most.columns) {
      tile.column = region.column + column;
      tile.columns = Math.min(most.columns, region.columns - column);
      tile.at = region.at + column;
      tile.into = region.into + column;
      for (let start = 0; start < region.length; start += most.length) {
        tile.start = region.start + start;
        tile.length = Math.min(most.length, region.length - start);
        runTile(sweep, tile, windows);
      }
    }
  }
}

/**
 * The rows, columns and elements of a stretch that one tile holds. A tile of runs is contiguous in the tensor: whole rows, or
 * whole runs of one row, or part of one run.
 */
function tileSize({ grid, memory }: Sweep, region: Region): { rows: number; columns: number; length: number } {
  const { kind, columns, width } = grid;
  const { tile } = memory;
  // More columns than a tile has elements are not copied to one: only their part of the mask is.
  if (kind === "columns") return { rows: Math.max(Math.floor(tile / region.columns), 1), columns: region.columns, length: 1 };
  if (region.length < width || width > tile) return { rows: 1, columns: 1, length: tile };
  const wholeRows = region.columns === columns ? Math.floor(tile / (columns * width)) : 0;
  return wholeRows > 0 ? { rows: wholeRows, columns, length: width } : { rows: 1, columns: Math.floor(tile / width), length: width };
}

/** Of what is copied in. */
interface InputWindows {
  readonly x: Windows;
  readonly dy: Windows;
  readonly mask: Windows;
}

function runTile(sweep: Sweep, tile: Region, windows: InputWindows): void {
  const { memory, grid, x, dy, out, mask, inPlace } = sweep;
  const { call } = memory;
  const copies = memory.tiles(x);
  const offset = offsetOf(sweep, tile);
  const stride = grid.columns * grid.width;
  const copied = !inPlace.x || (dy !== null && !inPlace.dy) || (out !== null && !inPlace.out);
  // A tile is as narrow as what is copied to it; what is copied beside a tensor in its place has the same strides (see sweep).
  const rowLength = copied ? tile.columns * tile.length : stride;
  const width = copied ? tile.length : grid.width;
  const bytes = x.BYTES_PER_ELEMENT * offset;
  call.x = inPlace.x ? x.byteOffset + bytes : copyIn(copies.x, x, windows.x, offset, tile.rows, stride, rowLength);
  call.dy = 0;
  if (dy !== null) call.dy = inPlace.dy ? dy.byteOffset + bytes : copyIn(copies.dy, dy, windows.dy, offset, tile.rows, stride, rowLength);
  const result = dy === null ? copies.x : copies.dy;
  call.out = out === null ? 0 : inPlace.out ? out.byteOffset + bytes : result.byteOffset;
  call.cached = 1;
  if (mask !== null) memory.mask.set(windowOf(mask, windows.mask, tile.row * grid.width + tile.start, tile.rows * tile.length));
  fillCall(sweep, tile, rowLength, width);
  memory.run();
  if (out !== null && !inPlace.out) copyOut(out, result, offset, tile.rows, stride, rowLength);
}

/** `rowLength` and `width` are the strides of rows and runs where the kernel finds the data, in elements. */
function fillCall({ memory, kernel, grid, x, half }: Sweep, region: Region, rowLength: number, width: number): void {
  const { call } = memory;
  const bytes = x.BYTES_PER_ELEMENT;
  const runs = grid.kind === "runs";
  call.kernel = kernel;
  call.rows = region.rows;
  call.rowStride = bytes * rowLength;
  call.channels = runs ? region.columns : 1;
  call.channelStride = bytes * width;
  call.length = runs ? region.length : region.columns;
  call.at = region.at;
  call.into = region.into;
  call.mask = MASK;
  call.half = half;
}

/** The offset of a region's first element, in elements. */
function offsetOf({ grid }: Sweep, { row, column, start }: Region): number {
  return (row * grid.columns + column) * grid.width + start;
}

/** Copies rows of `width` elements, `stride` apart in the tensor, next to each other into the tile; gives the tile's address. */
function copyIn(tile: Elements, data: Elements, windows: Windows, offset: number, rows: number, stride: number, width: number): number {
  if (width === stride || rows === 1) tile.set(windowOf(data, windows, offset, rows * width));
  else for (let row = 0; row < rows; row++) tile.set(windowOf(data, windows, offset + row * stride, width), row * width);
  return tile.byteOffset;
}

/** And back. */
function copyOut(data: Elements, tile: Elements, offset: number, rows: number, stride: number, width: number): void {
  const tiles = windowsOf(tile);
  if (width === stride || rows === 1) data.set(windowOf(tile, tiles, 0, rows * width), offset);
  else for (let row = 0; row < rows; row++) data.set(windowOf(tile, tiles, row * width, width), offset + row * stride);
}

type Data = Elements | Uint8Array;

/** The windows on one array that are known, by where they begin. */
export type Windows = Map<number, Data>;

const known = new WeakMap<Data, Windows>();
const none: Windows = new Map();

/** More windows than this on one array are made anew each time: they would be memory of their own. */
const MOST_WINDOWS = 4096;

/** The windows on an array; they go when the array goes. */
export function windowsOf(data: Data | null): Windows {
  if (data === null) return none;
  let windows = known.get(data);
  if (windows === undefined) {
    windows = new Map();
    known.set(data, windows);
  }
  return windows;
}

/**
 * `data.subarray(start, start + length)`, the same object for the same question, so that a loop over tiles allocates only when
 * it first meets an array: `set` takes no part of an array.
 */
export function windowOf<T extends Data>(data: T, windows: Windows, start: number, length: number): T {
  if (length === data.length) return data;
  let window = windows.get(start);
  // A tile at the end may be shorter than the one that began there for another shape.
  if (window === undefined || window.length !== length) {
    window = data.subarray(start, start + length);
    if (windows.size < MOST_WINDOWS) windows.set(start, window);
  }
  return window as T;
}
