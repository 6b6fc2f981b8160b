import type { ChannelView } from "@batchnorm/spec";
import type { Device } from "./device.ts";
import { type AxisInputs, channelsFirst, channelsLast, type FloatDType, INNER, type Layout, OUTER, TILE, TILES } from "./graph/layout.ts";
import { blocksOf, type Stages, shapeOf, stagesOf, wholeAxis } from "./graph/stages.ts";

/** A tensor of some shape and axis as a graph takes it: a layout, and the numbers for its dimensions. */
export interface Arrangement {
  readonly layout: Layout;
  readonly shape: readonly number[];
  readonly maskShape: readonly number[];
  /** The int64 inputs that the layout declares. */
  readonly integers: Readonly<Record<string, readonly number[]>>;
}

/** What a tensor is arranged for: a device, and its own dtype. */
export interface Target extends Pick<Device, "onHost" | "longestRow" | "longestStage"> {
  readonly dtype: FloatDType;
}

/**
 * Many rows below this length are better left alone on the CPU: elementwise operators cost 35 ns a row there, the
 * operator 2.5 ns an element. It takes a number of rows without small divisors to get here.
 */
const SHORTEST_ROW = 20;

/** The arrangement in which elementwise operators are fastest. */
export function arrange(view: ChannelView, target: Target): Arrangement {
  return arrangeWith(view, target, false);
}

/** The same with sums over the elements of a channel. */
export function arrangeForSums(view: ChannelView, target: Target): Arrangement {
  return arrangeWith(view, target, true);
}

/** The view as it is: what BatchNormalization itself takes, whatever the axis. */
export function arrangeForOperator(view: ChannelView, target: Target): Arrangement {
  return arrangeFirst(view, target, false);
}

function arrangeWith({ outer, channels, inner }: ChannelView, target: Target, summed: boolean): Arrangement {
  // One channel is one row, whatever its shape.
  if (channels === 1) return arrangeFirst({ outer: 1, channels, inner: outer * inner }, target, summed);
  const tile = tileOf(outer, channels, target.longestRow);
  const shortRows = target.onHost && tile < outer && tile * channels < SHORTEST_ROW;
  if (inner > 1 || shortRows) return arrangeFirst({ outer, channels, inner }, target, summed);
  return arrangeLast({ outer, channels, inner }, tile, target, summed);
}

function arrangeFirst({ outer, channels, inner }: ChannelView, { onHost, dtype, longestStage }: Target, summed: boolean): Arrangement {
  const stages = (length: number, whole: boolean): Stages => {
    if (!summed || whole) return wholeAxis(length);
    return onHost ? blocksOf(length, longestStage) : stagesOf(length, longestStage);
  };
  // One kind of block is enough on the CPU, where what is left is summed in float64.
  const [outerStages, innerStages] = [stages(outer, onHost && inner > 1), stages(inner, false)];
  return {
    layout: channelsFirst(shapeOf(outerStages), shapeOf(innerStages), { onHost, dtype }),
    shape: [outer, channels, inner],
    maskShape: [outer, 1, inner],
    integers: { ...axisInputs(outerStages, OUTER, [], [channels]), ...axisInputs(innerStages, INNER, [outer, channels], []) },
  };
}

function arrangeLast(
  { outer, channels }: ChannelView,
  tile: number,
  { onHost, dtype, longestStage }: Target,
  summed: boolean,
): Arrangement {
  const stages = (length: number): Stages => (onHost ? blocksOf(length, longestStage) : stagesOf(length, longestStage));
  const rows = summed ? stages(outer / tile) : wholeAxis(outer / tile);
  const tiles = summed && !onHost ? stages(tile) : wholeAxis(tile);
  return {
    layout: channelsLast(shapeOf(rows), shapeOf(tiles), { onHost, dtype }),
    shape: [outer / tile, tile * channels],
    maskShape: [outer / tile, tile, 1],
    integers: { [TILE]: [tile], ...axisInputs(rows, OUTER, [], [tile * channels]), ...axisInputs(tiles, TILES, [], [channels]) },
  };
}

/** What Reshape and Pad are given for an axis between those before and those after it. */
function axisInputs(
  { factors, padding }: Stages,
  inputs: AxisInputs,
  before: readonly number[],
  after: readonly number[],
): Record<string, readonly number[]> {
  const rank = before.length + 1 + after.length;
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  return {
    ...(factors.length > 1 && { [inputs.stages]: [...before, ...factors, ...after] }),
    ...(padding > 0 && { [inputs.padding]: [...zeros(rank + before.length), padding, ...zeros(after.length)] }),
  };
}

/** The largest divisor of the number of rows that keeps a row within its limit. */
function tileOf(rows: number, channels: number, longestRow: number): number {
  let tile = Math.max(Math.min(Math.floor(longestRow / channels), rows), 1);
  while (rows % tile !== 0) tile--;
  return tile;
}
