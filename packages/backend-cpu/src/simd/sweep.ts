import { gather, spread } from "./columns.ts";
import { runInPlace } from "./in-place.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import { LAYOUT } from "./module.generated.ts";
import { newRun, type Pass, type Region, type Run } from "./pass.ts";
import { runInTiles } from "./tiles.ts";

/** Rows of a block that fit a tile, at the least: constants are loaded once for some rows. */
const TILE_ROWS = 8;

/** Takes one pass through a memory: block of columns by block of columns, each chunk by chunk, and the sums of its chunks together. */
export function sweep(memory: KernelMemory, pass: Pass): void {
  const { grid } = pass;
  const run = newRun(memory, pass);
  const most = run.inPlace || grid.kind === "runs" ? LAYOUT.COLUMNS : memory.tile / TILE_ROWS;
  const block = Math.min(grid.columns, most, Math.floor(LAYOUT.SUMS / grid.chunks));
  for (let from = 0; from < grid.columns; from += block) {
    const columns = Math.min(block, grid.columns - from);
    loadConstants(run, from, columns);
    clearSums(run, columns);
    sweepBlock(run, from, columns);
    memory.pool?.run();
    collectSums(run, from, columns);
  }
}

/** Every chunk leaves its sums behind those of the chunk before it. */
function sweepBlock(run: Run, from: number, columns: number): void {
  const { grid } = run;
  const work = run.inPlace && run.mask === null ? runInPlace : runInTiles;
  const region: Region = { row: 0, rows: 0, column: from, columns, start: 0, length: 0, at: 0, into: 0 };
  for (let chunk = 0; chunk < grid.chunks; chunk++) {
    region.row = Math.floor(chunk / grid.parts) * grid.chunkRows;
    region.rows = Math.min(grid.chunkRows, grid.rows - region.row);
    region.start = (chunk % grid.parts) * grid.partLength;
    region.length = Math.min(grid.partLength, grid.width - region.start);
    region.into = chunk * columns;
    work(run, region);
  }
  if (grid.tail <= from) return;
  // The tail adds to the sums of the last chunk, so that has to be done.
  run.memory.pool?.run();
  region.row = grid.rows;
  region.rows = 1;
  region.columns = Math.min(columns, grid.tail - from);
  work(run, region);
}

function loadConstants({ work, grid, constants, memory }: Run, from: number, columns: number): void {
  if (work === "moments" || work === "projections") {
    spread(constants.origin, memory.origin, grid, from, columns);
    return;
  }
  spread(constants.center, memory.center, grid, from, columns);
  spread(constants.scale, memory.scale, grid, from, columns);
  spread(constants.shift, memory.shift, grid, from, columns);
  if (work === "gradient") spread(constants.slope, memory.slope, grid, from, columns);
}

function clearSums({ sums, grid, memory }: Run, columns: number): void {
  if (sums === null) return;
  memory.first.fill(0, 0, grid.chunks * columns);
  memory.second.fill(0, 0, grid.chunks * columns);
}

function collectSums({ sums, grid, memory }: Run, from: number, columns: number): void {
  if (sums === null) return;
  memory.kernels.merge(columns, grid.chunks);
  gather(memory.first, sums.first, grid, from, columns);
  gather(memory.second, sums.second, grid, from, columns);
}
