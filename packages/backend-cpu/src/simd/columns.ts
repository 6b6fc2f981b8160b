import type { Grid } from "./grid.ts";

// Between channels and the columns of a grid: column j belongs to channel floor(j / stretch) % channels.

/** Copies a number of each channel to `columns` columns from `from` on, which begin at target[0]. */
export function spread<T extends Float32Array | Float64Array>(source: T, target: T, grid: Grid, from: number, columns: number): void {
  if (columns === source.length && grid.columns === source.length) {
    target.set(source);
    return;
  }
  const stretch = stretchOf(grid);
  let channel = Math.floor(from / stretch) % source.length;
  let left = stretch - (from % stretch);
  for (let j = 0; j < columns; j++) {
    target[j] = source[channel];
    if (--left > 0) continue;
    left = stretch;
    channel = channel + 1 === source.length ? 0 : channel + 1;
  }
}

/** Adds the numbers of `columns` columns from `from` on, which begin at source[0], to those of their channels. */
export function gather(source: Float64Array, target: Float64Array, grid: Grid, from: number, columns: number): void {
  const stretch = stretchOf(grid);
  let channel = Math.floor(from / stretch) % target.length;
  let left = stretch - (from % stretch);
  for (let j = 0; j < columns; j++) {
    target[channel] += source[j];
    if (--left > 0) continue;
    left = stretch;
    channel = channel + 1 === target.length ? 0 : channel + 1;
  }
}

/** How many columns in a row belong to one channel. */
function stretchOf(grid: Grid): number {
  return grid.kind === "runs" ? 1 : grid.view.inner;
}
