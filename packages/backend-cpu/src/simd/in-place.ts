import type { Pool } from "../threads/pool.ts";
import { offsetOf, type Region, type Run } from "./pass.ts";

/** Up to this many bytes a tensor is taken to lie in some cache (see normalizeColumns). Measured: between 6 MB and 12 MB. */
const CACHED = 8 * 2 ** 20;

/** A thread's share of columns is a multiple of so many, that it may have cache lines of its own; of runs there are fewer. */
const SLICE = { columns: 64, runs: 8 };

/** Runs a kernel on a region of tensors that lie in its memory. */
export function runInPlace(run: Run, region: Region): void {
  const { pool } = run.memory;
  if (pool === null || run.x.length < pool.smallest) callInPlace(run, region, null);
  else runInSlices(run, region, pool);
}

/**
 * Columns do not know of each other, so threads may divide them as they like. Rows they divide where a pass has no sums, and
 * otherwise only as the chunks do.
 */
function runInSlices(run: Run, region: Region, pool: Pool): void {
  const slices = Math.ceil((4 * pool.size) / run.grid.chunks);
  const multiple = SLICE[run.grid.kind];
  const columns = Math.ceil(region.columns / slices / multiple) * multiple;
  for (let column = 0; column < region.columns; column += columns) {
    const slice = { ...region, column: region.column + column, columns: Math.min(columns, region.columns - column) };
    callInPlace(run, { ...slice, at: region.at + column, into: region.into + column }, pool);
  }
}

function callInPlace(run: Run, region: Region, pool: Pool | null): void {
  const { memory, kernel, grid, x, dy, out } = run;
  const offset = 4 * offsetOf(run, region);
  const runs = grid.kind === "runs";
  const args = [
    x.byteOffset + offset,
    dy === null ? 0 : dy.byteOffset + offset,
    out === null ? 0 : out.byteOffset + offset,
    region.rows,
    4 * grid.columns * grid.width,
    runs ? region.columns : 1,
    4 * grid.width,
    runs ? region.length : region.columns,
    region.at,
    region.into,
    0,
    x.byteLength > CACHED ? 0 : 1,
  ] as const;
  if (pool === null) memory.kernels[kernel](...args);
  else pool.add(kernel, ...args);
}
