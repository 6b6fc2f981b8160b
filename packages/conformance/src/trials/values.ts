import { ALL_MODES, type ModeName, step } from "./modes.ts";
import type { Draw } from "./numbers.ts";
import type { Trial, TrialStep } from "./trial.ts";
import type { TrialGroup } from "./trial-check.ts";

type Options = Omit<Trial, "name" | "axis" | "steps"> & Pick<TrialStep, "x" | "dy"> & { readonly modes?: readonly ModeName[] };

const TRAINING: readonly ModeName[] = ["training", "training-gradient", "masked", "masked-gradient"];

/** Trials of one layer that goes through the modes, on rows, on columns, and on enough elements for a vector kernel. */
function trials({ modes = ALL_MODES, x, dy, ...layer }: Options): Trial[] {
  const numbers = { ...(x && { x }), ...(dy && { dy }) };
  return [
    [[8, 3], 1],
    [[3, 2, 37], 1],
    [[257, 4], -1],
  ].map(([shape, axis]): Trial => {
    const at = shape as number[];
    return { name: `[${at.join(", ")}]`, axis: axis as number, ...layer, steps: modes.map((mode) => step(mode, at, numbers)) };
  });
}

/** Draws on the grid of -32 to 31, whatever the channel, times `unit`. */
const scaled =
  (unit: number): Draw =>
  (_, k) =>
    ((((k * 2_654_435_761) >>> 0) % 64) - 32) * unit;

/** One element of every channel, in the first, the middle or the last row; the rest is as drawn. */
const outlier =
  (value: number, where: "first" | "middle" | "last"): Draw =>
  (drawn, k, c, last) => {
    const from = { first: 0, middle: last >> 1, last: last - 8 }[where];
    return k >= from && k < from + 8 && (k + c) % 3 === 0 ? value : drawn;
  };

const NAN_IN_CHANNEL_1: Draw = (drawn, k, c, last) => (c === 1 && k > last - 40 && k % 3 === 1 ? Number.NaN : drawn);

/** Without gradients under a mask: what a hidden infinity makes of them is an infinity or NaN, by the form of the formula (11.1). */
const WITHOUT_HIDDEN_INFINITY = ALL_MODES.filter((mode) => mode !== "masked-gradient");

/** Numbers that an implementation which is right on ordinary ones gets wrong. */
export const VALUES: readonly TrialGroup[] = [
  {
    id: "value/squares-overflow",
    clause: "12.7",
    // Sums of squares pass 3.4e38, the variance and the output stay far below.
    trials: trials({ modes: TRAINING, x: scaled(4e17), movingMean: () => 0, movingVariance: () => 1e36 }),
  },
  {
    id: "value/constant-and-huge",
    clause: "11.3",
    trials: trials({ modes: TRAINING, x: (_, __, c) => (c === 0 ? 3e38 : -2.5e38), config: { momentum: 0.5 } }),
  },
  {
    id: "value/tiny-deviations",
    clause: "12.7",
    trials: [1e-15, 1e-18, 1e-22].flatMap((unit) =>
      trials({ x: scaled(unit), movingMean: () => unit, movingVariance: () => unit ** 2, config: { epsilon: 1e-30, momentum: 0.5 } }),
    ),
  },
  {
    id: "value/subnormal",
    clause: "11.4",
    trials: [
      ...trials({
        x: scaled(2 ** -140),
        movingMean: () => 2 ** -133,
        movingVariance: () => 2 ** -130,
        config: { epsilon: 1, momentum: 0.5 },
      }),
      ...trials({ x: scaled(2 ** -70), movingVariance: () => 2 ** -136, config: { momentum: 0 }, modes: TRAINING }),
      ...trials({ dy: scaled(2 ** -142) }),
      ...trials({ gamma: () => 2 ** -135, dy: scaled(2 ** -3) }),
      ...trials({ beta: () => 2 ** -141, gamma: () => 0 }),
    ],
  },
  {
    id: "value/least-and-largest-epsilon",
    clause: "2.3",
    trials: [
      ...trials({ config: { epsilon: 2 ** -126, momentum: 0.5 } }),
      ...trials({ config: { epsilon: 1e30 } }),
      ...trials({ config: { epsilon: 2 ** -126 }, x: scaled(2 ** -64), movingMean: () => 0, movingVariance: () => 0 }),
    ],
  },
  {
    id: "value/momentum",
    clause: "7.1",
    trials: [0.999_999_9, 0.001, 1e-7, 1 / 3].flatMap((momentum) => trials({ config: { momentum }, modes: TRAINING })),
  },
  {
    id: "value/sample-of-few",
    clause: "7.4",
    trials: [
      [1, 3],
      [2, 3],
      [1, 3, 1],
      [1, 2, 2],
      [7, 2],
    ].map(
      (shape): Trial => ({
        name: `[${shape.join(", ")}]`,
        axis: 1,
        config: { varianceEstimator: "sample", momentum: 0.5 },
        steps: [
          step("training", shape),
          { ...step("training-gradient", shape), mask: "one" },
          step("masked", shape),
          step("hidden", shape),
        ],
      }),
    ),
  },
  {
    id: "value/outliers",
    clause: "12.6",
    trials: (["first", "middle", "last"] as const).flatMap((where) => [
      ...trials({ x: outlier(1e4, where), config: { momentum: 0 }, modes: TRAINING }),
      ...trials({ x: outlier(-1e6, where), config: { momentum: 0.5 } }),
    ]),
  },
  {
    id: "value/offset-of-many",
    clause: "12.6",
    slow: true,
    trials: [
      {
        name: "[70001, 2]",
        axis: -1,
        config: { momentum: 0 },
        steps: TRAINING.map((mode) => step(mode, [70_001, 2], { x: (drawn) => drawn + 1e6 })),
      },
      {
        name: "[3, 2, 23333]",
        axis: 1,
        config: { momentum: 0 },
        steps: TRAINING.map((mode) => step(mode, [3, 2, 23_333], { x: (drawn) => drawn - 1e6 })),
      },
    ],
  },
  {
    id: "value/zeros",
    clause: "11.5",
    trials: [
      ...trials({ x: (_, k) => (k % 2 === 0 ? -0 : 0) }),
      ...trials({ x: (_, k) => (k % 2 === 0 ? -0 : 0), movingMean: () => -0, movingVariance: () => -0, beta: () => -0 }),
      ...trials({ gamma: (c) => (c % 2 === 0 ? 0 : -0), dy: (drawn, k) => (k % 3 === 0 ? -0 : drawn) }),
      ...trials({ dy: () => 0 }),
    ],
  },
  {
    id: "value/nan",
    clause: "11.1",
    trials: [
      ...trials({ x: NAN_IN_CHANNEL_1 }),
      ...trials({ x: NAN_IN_CHANNEL_1, dy: () => 0 }),
      ...trials({ dy: NAN_IN_CHANNEL_1 }),
      ...trials({ gamma: (c) => (c === 1 ? Number.NaN : 2), beta: (c) => (c === 0 ? Number.NaN : 1) }),
      ...trials({ beta: (c) => (c === 0 ? Number.POSITIVE_INFINITY : 1) }),
      // Where moving statistics are constants, an infinite dy is its own element's, and the sums'.
      ...trials({
        dy: (drawn, k, c, last) => (c === 1 && k > last - 8 ? Number.POSITIVE_INFINITY : drawn),
        modes: ["inference-gradient", "frozen"],
      }),
    ],
  },
  {
    id: "value/gradient-of-nothing",
    clause: "10.3",
    // A sum over no elements has no NaN in it.
    trials: [
      [[0, 3], -1],
      [[0, 3, 4], 1],
      [[2, 3, 0], 1],
    ].map(
      ([shape, axis]): Trial => ({
        name: `[${(shape as number[]).join(", ")}]`,
        axis: axis as number,
        movingMean: (c) => (c === 0 ? Number.NaN : 1),
        movingVariance: (c) => (c === 1 ? Number.NaN : 1),
        steps: [step("inference-gradient", shape as number[])],
      }),
    ),
  },
  {
    id: "value/late-nan",
    clause: "11.1",
    slow: true,
    trials: [
      [[131_101, 2], 1],
      [[1, 2, 70_001], 1],
      [[4, 8209], 1],
      [[1, 8209, 5], 1],
    ].map(
      ([shape, axis]): Trial => ({
        name: `[${(shape as number[]).join(", ")}]`,
        axis: axis as number,
        steps: (["inference-gradient", "training-gradient", "masked-gradient"] as const).map((mode) =>
          step(mode, shape as number[], { x: (drawn, k, _, last) => (k === last ? Number.NaN : drawn) }),
        ),
      }),
    ),
  },
  {
    id: "value/infinity",
    clause: "11.1",
    trials: [
      ...trials({ x: outlier(Number.POSITIVE_INFINITY, "last"), modes: WITHOUT_HIDDEN_INFINITY }),
      ...trials({ x: outlier(Number.NEGATIVE_INFINITY, "first"), modes: ["training", "training-gradient", "masked"] }),
      ...trials({ movingVariance: (c) => (c === 1 ? Number.POSITIVE_INFINITY : 1) }),
      ...trials({ movingMean: (c) => (c === 1 ? Number.NEGATIVE_INFINITY : 1) }),
      // Channel 0 begins more than 32 deviations off, so that a sum around its first element has to be taken again.
      ...[
        [[1501, 2], -1],
        [[1, 2, 1501], 1],
      ].map(
        ([shape, axis]): Trial => ({
          name: `[${(shape as number[]).join(", ")}]`,
          axis: axis as number,
          config: { momentum: 0 },
          steps: (["training", "training-gradient", "masked"] as const).map((mode) =>
            step(mode, shape as number[], {
              x: (drawn, k, c, last) => (c === 1 ? (k > last - 8 ? Number.POSITIVE_INFINITY : drawn) : k === 0 ? 0 : 1000 + drawn / 1000),
            }),
          ),
        }),
      ),
    ],
  },
  {
    id: "value/momentum-of-nan",
    clause: "7.2",
    // A weight of 0 does not take a NaN or an infinity away.
    trials: [0, 1].flatMap((momentum) => [
      ...trials({ config: { momentum }, x: NAN_IN_CHANNEL_1, modes: TRAINING }),
      ...trials({
        config: { momentum },
        x: outlier(Number.POSITIVE_INFINITY, "middle"),
        modes: ["training", "training-gradient", "masked"],
      }),
      ...trials({
        config: { momentum },
        movingMean: (c) => (c === 1 ? Number.NaN : 1),
        movingVariance: (c) => (c === 0 ? Number.POSITIVE_INFINITY : 1),
        modes: TRAINING,
      }),
    ]),
  },
  {
    id: "value/saturating-output",
    clause: "5.1",
    trials: trials({
      gamma: (c) => (c % 2 === 0 ? 3e38 : -3e38),
      beta: () => 0,
      movingMean: () => 0,
      movingVariance: () => 1,
      x: (_, k) => [0, 0.25, 4, -0.25, -4, 1000][k % 6],
      modes: ["inference"],
    }),
  },
];
