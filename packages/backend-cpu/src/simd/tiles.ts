import { LAYOUT } from "./module.generated.ts";
import { offsetOf, type Region, type Run } from "./pass.ts";
import { windowOf } from "./windows.ts";

/**
 * Runs a kernel on a region of any size, tile by tile: copies a tile in, unless the tensors lie in this memory, and its part of the
 * mask in any case; runs the kernel; copies the result out.
 */
export function runInTiles(run: Run, region: Region): void {
  const most = tileSize(run, region);
  const tile: Region = { ...region };
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
        if (run.mask !== null) loadMask(run, run.mask, tile);
        if (run.inPlace) runTileInPlace(run, tile);
        else runTileByCopy(run, tile);
      }
    }
  }
}

/**
 * The rows, columns and elements of a stretch that one tile holds. A tile of runs is contiguous in the tensor: whole rows, or whole
 * runs of one row, or part of one run.
 */
function tileSize({ grid, memory }: Run, region: Region): { rows: number; columns: number; length: number } {
  const { kind, columns, width } = grid;
  const { tile } = memory;
  if (kind === "columns") return { rows: Math.floor(tile / region.columns), columns: region.columns, length: 1 };
  if (region.length < width || width > tile) return { rows: 1, columns: 1, length: tile };
  const wholeRows = region.columns === columns ? Math.floor(tile / (columns * width)) : 0;
  return wholeRows > 0 ? { rows: wholeRows, columns, length: width } : { rows: 1, columns: Math.floor(tile / width), length: width };
}

function loadMask({ memory, grid }: Run, mask: Uint8Array, { row, rows, start, length }: Region): void {
  memory.mask.set(windowOf(mask, row * grid.width + start, rows * length));
}

function runTileInPlace(run: Run, tile: Region): void {
  const { grid, x, dy, out } = run;
  const offset = 4 * offsetOf(run, tile);
  const address = (data: Float32Array | null): number => (data === null ? 0 : data.byteOffset + offset);
  callKernel(run, tile, address(x), address(dy), address(out), grid.columns * grid.width, grid.width);
}

function runTileByCopy(run: Run, tile: Region): void {
  const { memory, grid, x, dy, out } = run;
  const { tileX, tileDy } = memory;
  const offset = offsetOf(run, tile);
  const stride = grid.columns * grid.width;
  const rowLength = tile.columns * tile.length;
  copyIn(tileX, x, offset, tile.rows, stride, rowLength);
  if (dy !== null) copyIn(tileDy, dy, offset, tile.rows, stride, rowLength);
  const result = dy === null ? tileX : tileDy;
  callKernel(run, tile, tileX.byteOffset, tileDy.byteOffset, result.byteOffset, rowLength, tile.length);
  if (out !== null) copyOut(out, result, offset, tile.rows, stride, rowLength);
}

/** `rowLength` and `width` are the strides of rows and runs where the kernel finds the data, in elements. */
function callKernel(
  { memory, kernel, grid }: Run,
  tile: Region,
  x: number,
  dy: number,
  out: number,
  rowLength: number,
  width: number,
): void {
  const runs = grid.kind === "runs";
  const channels = runs ? tile.columns : 1;
  const length = runs ? tile.length : tile.columns;
  memory.kernels[kernel](x, dy, out, tile.rows, 4 * rowLength, channels, 4 * width, length, tile.at, tile.into, LAYOUT.MASK, 1);
}

/** Copies rows of `width` elements, `stride` apart in the tensor, next to each other into the tile. */
function copyIn(tile: Float32Array, data: Float32Array, offset: number, rows: number, stride: number, width: number): void {
  if (width === stride || rows === 1) tile.set(windowOf(data, offset, rows * width));
  else for (let row = 0; row < rows; row++) tile.set(windowOf(data, offset + row * stride, width), row * width);
}

/** And back. */
function copyOut(data: Float32Array, tile: Float32Array, offset: number, rows: number, stride: number, width: number): void {
  if (width === stride || rows === 1) data.set(windowOf(tile, 0, rows * width), offset);
  else for (let row = 0; row < rows; row++) data.set(windowOf(tile, row * width, width), offset + row * stride);
}
