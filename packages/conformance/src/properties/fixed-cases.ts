import { DEFAULT_CONFIG, maskShape, sizeOf } from "@batchnorm/spec";
import type { Check } from "../checks/check.ts";
import { caseCheck } from "../checks/golden.ts";
import type { Case, Step } from "../vectors/case.ts";
import { oracle } from "./oracle.ts";

/** One training step. */
interface FixedCase {
  readonly id: string;
  readonly clause: string;
  readonly shape: readonly number[];
  readonly axis: number;
  /** Element k of n of channel c. */
  readonly x: (k: number, c: number, n: number) => number;
  /** The same of dy; without it there is no backward pass. */
  readonly dy?: (x: number, c: number) => number;
  readonly mask?: (k: number, n: number) => number;
  /** Default 0, so that the moving statistics are the batch's own. */
  readonly momentum?: number;
}

/**
 * Two values in turn. The squares of their deviations are all equal, and a plain float32 sum of them rounds in one
 * direction, again and again: at n = 4096 it is off by twice what sums of blocks may be, at 16384 by ten times.
 */
const steady = (k: number): number => 0.125 + (k % 2 === 0 ? -1.44 : 1.44);

/** One element far outside: differences from it have no digit left of the others. */
const outlierAt =
  (place: (n: number) => number) =>
  (k: number, _c: number, n: number): number =>
    k === place(n) ? 1e4 : (k % 10) / 10;

const first = outlierAt(() => 0);
const middle = outlierAt((n) => n >> 1);

/** Hides as many of the one value as of the other, in pairs. */
const everyOther = (k: number): number => Number(k % 34 < 32);

/**
 * Of one sign in the first channel; in the others a multiple of the sign of the deviation, so that no product cancels
 * another.
 */
const upstream = (x: number, c: number): number => (c === 0 ? 0.513 : 0.974 * Math.sign(x - 0.125));

/** Numbers whose squares overflow float32 in the first channel, and ordinary ones in the second. */
const huge =
  (size: number) =>
  (k: number, c: number): number =>
    c === 0 ? size * (k % 2 === 0 ? 1 : -1) : k % 5;

const CASES: readonly FixedCase[] = [
  { id: "long-steady-4096", clause: "12.3", shape: [4096, 2], axis: -1, x: steady },
  { id: "long-steady-16411-inner", clause: "12.3", shape: [1, 2, 16_411], axis: 1, x: steady },
  { id: "long-steady-32768-both", clause: "12.3", shape: [64, 1, 512], axis: 1, x: steady },
  { id: "long-steady-4096-masked", clause: "12.3", shape: [4400, 1], axis: -1, x: steady, mask: everyOther },
  { id: "long-outlier-first", clause: "12.3", shape: [16_384, 2], axis: -1, x: first },
  { id: "long-outlier-first-inner", clause: "12.3", shape: [1, 2, 16_384], axis: 1, x: first },
  { id: "long-outlier-in-the-middle", clause: "12.3", shape: [16_384, 1], axis: -1, x: middle },
  { id: "long-outlier-in-the-middle-masked", clause: "12.3", shape: [16_384, 1], axis: -1, x: middle, mask: () => 1 },
  { id: "long-outlier-hidden", clause: "12.3", shape: [4099, 2], axis: -1, x: middle, mask: (k, n) => Number(k !== n >> 1) },
  { id: "long-gradient-4096", clause: "12.5", shape: [4096, 2], axis: -1, x: steady, dy: upstream },
  { id: "long-gradient-16411-inner", clause: "12.5", shape: [1, 2, 16_411], axis: 1, x: steady, dy: upstream },
  { id: "long-gradient-4096-masked", clause: "12.5", shape: [4096, 2], axis: -1, x: steady, dy: upstream, mask: everyOther },
  { id: "squares-overflow", clause: "12.7", shape: [8, 2], axis: -1, x: huge(1e20), dy: upstream, momentum: 0.5 },
  { id: "squares-overflow-inner", clause: "12.7", shape: [3, 2, 100], axis: 1, x: huge(1e25), dy: upstream, momentum: 0.5 },
  { id: "squares-overflow-masked", clause: "12.7", shape: [9, 2], axis: -1, x: huge(1e20), dy: upstream, mask: (k) => Number(k > 0) },
  // The batch's variance does not fit float32, a hundredth of it does.
  { id: "squares-overflow-averaged", clause: "12.7", shape: [8, 2], axis: -1, x: huge(1e20), momentum: 0.99 },
  {
    id: "mask-bytes",
    clause: "9.3",
    shape: [7, 2],
    axis: -1,
    x: (k, c) => (k * 3 + c) % 5,
    dy: upstream,
    mask: (k) => [255, 0, 1, 128][k % 4],
  },
];

/**
 * Cases that random ones do not find: channels so long that plain float32 sums show, squares that overflow, a mask's
 * odd bytes.
 */
export const FIXED_CASES: readonly Check[] = CASES.map((each) => caseCheck(build(each), "property"));

function build({ id, clause, shape, axis, x: element, dy: gradient, mask: visible, momentum = 0 }: FixedCase): Case {
  const config = { ...DEFAULT_CONFIG, axis, momentum };
  const channels = shape.at(axis) as number;
  const places = sizeOf(maskShape(shape, axis));
  const inner = axis === -1 ? 1 : (shape.at(-1) as number);
  const channelOf = (k: number): number => Math.floor(k / inner) % channels;
  const placeOf = (k: number): number => Math.floor(k / (inner * channels)) * inner + (k % inner);
  const x = Float32Array.from({ length: sizeOf(shape) }, (_, k) => element(placeOf(k), channelOf(k), places));
  const dy = gradient ? x.map((value, k) => gradient(value, channelOf(k))) : null;
  const mask = visible ? Uint8Array.from({ length: places }, (_, k) => visible(k, places)) : null;
  const vector = (value: number): Float32Array => new Float32Array(channels).fill(value);
  const state = {
    parameters: { gamma: vector(1.5), beta: vector(-0.25) },
    statistics: { movingMean: vector(0), movingVariance: vector(1) },
  };
  const { batch, ...truth } = oracle({ config, training: true, shape, x, mask, dy, ...state.parameters, ...state.statistics });
  const step: Step = { training: true, trainable: true, parameters: null, shape, x, mask, dy, truth, batch, results: {} };
  return { id: `property/${id}`, clause, flags: [], reference: null, config, state, steps: [step] };
}
