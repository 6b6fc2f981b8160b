import type { ChannelView } from "@batchnorm/spec";
import type { Device } from "./device.ts";
import { CHANNELS_FIRST, CHANNELS_LAST, type Layout } from "./graph/layout.ts";

/** A tensor of some shape and axis as a graph takes it: a layout, and the numbers for its dimensions. */
export interface Arrangement {
  readonly layout: Layout;
  readonly shape: readonly number[];
  readonly maskShape: readonly number[];
  /** How many rows lie side by side in `CHANNELS_LAST`. */
  readonly tile: number;
}

/**
 * Many rows below this length are the operator's on the CPU: elementwise operators cost 35 ns a row there, the operator 2.5 ns an
 * element. It takes a number of rows without small divisors to get here.
 */
const SHORTEST_ROW = 20;

/** The arrangement in which elementwise operators and reductions are fastest. */
export function arrange(
  { outer, channels, inner }: ChannelView,
  { onHost, longestRow }: Pick<Device, "onHost" | "longestRow">,
): Arrangement {
  // One channel is one row, whatever its shape.
  if (channels === 1) return channelsFirst(1, 1, outer * inner);
  if (inner > 1) return channelsFirst(outer, channels, inner);
  const tile = tileOf(outer, channels, longestRow);
  if (onHost && tile < outer && tile * channels < SHORTEST_ROW) return channelsFirst(outer, channels, inner);
  return { layout: CHANNELS_LAST, shape: [outer / tile, tile * channels], maskShape: [outer / tile, tile, 1], tile };
}

/** The view as it is: what BatchNormalization itself takes, whatever the axis. */
export function arrangeForOperator({ outer, channels, inner }: ChannelView): Arrangement {
  return channelsFirst(outer, channels, inner);
}

function channelsFirst(outer: number, channels: number, inner: number): Arrangement {
  return { layout: CHANNELS_FIRST, shape: [outer, channels, inner], maskShape: [outer, 1, inner], tile: 1 };
}

/** The largest divisor of the number of rows that keeps a row within its limit. */
function tileOf(rows: number, channels: number, longestRow: number): number {
  let tile = Math.max(Math.min(Math.floor(longestRow / channels), rows), 1);
  while (rows % tile !== 0) tile--;
  return tile;
}
