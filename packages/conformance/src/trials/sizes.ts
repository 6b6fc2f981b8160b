import { ALL_MODES, MODES, type ModeName, step } from "./modes.ts";
import type { Draw } from "./numbers.ts";
import type { Trial } from "./trial.ts";
import type { TrialGroup } from "./trial-check.ts";

interface Shape {
  readonly shape: readonly number[];
  readonly axis: number;
}

const on = (axis: number, ...shapes: readonly (readonly number[])[]): Shape[] => shapes.map((shape) => ({ shape, axis }));

/** A prime in every position, together with others and with 1: nothing is a multiple of a lane, a tile or a group. */
const PRIMES: readonly Shape[] = [
  [11, 13],
  [13, 11],
  [11, 1, 13],
  [13, 11, 1],
  [1, 13, 11],
  [2, 11, 13],
  [13, 2, 11],
  [11, 13, 3],
  [3, 13, 1, 11],
].flatMap((shape) => shape.map((_, axis) => ({ shape, axis })));

/** One more and one less than what is packed, unrolled or dispatched together, in the rows, the channels and the columns. */
const EDGES = [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1023, 1025];
const RESTS: readonly Shape[] = [
  ...EDGES.flatMap((edge) => on(1, [edge, 3], [3, edge], [2, 3, edge], [2, edge, 3], [edge, 2, 3])),
  ...on(-1, [67, 65], [129, 37], [19, 21, 67], [5, 7, 129]),
  ...on(1, [7, 37, 19], [3, 67, 65], [5, 33, 35], [2, 5, 1031], [9, 3, 17, 19]),
];

/** Every rank up to 12, the channels first, last and in the middle. */
const RANKS: readonly Shape[] = Array.from({ length: 11 }, (_, index) => index + 2).flatMap((rank) => {
  const shape = Array.from({ length: rank }, (_, axis) => (axis % 4 === 1 ? 3 : axis % 3 === 0 ? 2 : 1));
  return [0, 1, Math.floor(rank / 2), rank - 1, -1, -rank].map((axis) => ({ shape, axis }));
});

/** Past 65,535 (a count of 16 bits, a dispatch of WebGPU) and 131,071 in one direction; past 8,192 and 65,535 channels. */
const LONG: readonly Shape[] = [
  ...on(-1, [65_536, 1], [131_101, 1], [2, 65_539], [5, 8209]),
  ...on(1, [1, 1, 131_101], [1, 2, 65_543], [1, 65_539, 2], [2, 8209, 3]),
];

/** Past 1,048,575 in one direction, and past 8 MiB. */
const HUGE: readonly (Shape & { readonly modes: readonly ModeName[] })[] = [
  { shape: [1_048_583, 1], axis: -1, modes: ["training-gradient", "masked-gradient"] },
  { shape: [1, 1, 1_048_583], axis: 1, modes: ["training-gradient", "masked-gradient"] },
  { shape: [16_411, 129], axis: -1, modes: ["inference", "training-gradient", "masked-gradient"] },
];

/** The last elements weigh more than the rest: who leaves them out of a million is seen. */
const HEAVY_END: Draw = (drawn, k, _, last) => (k > last - 5 ? 64 : drawn);

/** Every way through a layer on shapes that no golden vector has. */
export const SIZES: readonly TrialGroup[] = [
  ...inEveryMode("primes", PRIMES),
  ...inEveryMode("rests", RESTS),
  ...inEveryMode("ranks", RANKS),
  ...inEveryMode("long", LONG, { slow: true, x: HEAVY_END }),
  ...HUGE.map(({ shape, axis, modes }) => ({
    id: `size/huge-${shape.join("x")}`,
    clause: "6.2",
    slow: true,
    trials: [{ name: nameOf({ shape, axis }), axis, steps: modes.map((mode) => step(mode, shape, { x: HEAVY_END })) }],
  })),
];

function inEveryMode(
  name: string,
  shapes: readonly Shape[],
  { slow = false, x }: { readonly slow?: boolean; readonly x?: Draw } = {},
): TrialGroup[] {
  return ALL_MODES.map((mode) => ({
    id: `size/${name}-${mode}`,
    clause: MODES[mode].clause,
    slow,
    trials: shapes.map(({ shape, axis }): Trial => ({ name: nameOf({ shape, axis }), axis, steps: [step(mode, shape, x && { x })] })),
  }));
}

function nameOf({ shape, axis }: Shape): string {
  return `[${shape.join(", ")}] axis ${axis}`;
}
