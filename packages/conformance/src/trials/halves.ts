import type { HalfDType } from "../vectors/half.ts";
import { ALL_MODES, type ModeName, step } from "./modes.ts";
import type { Draw } from "./numbers.ts";
import type { Trial } from "./trial.ts";
import type { TrialGroup } from "./trial-check.ts";

type Shape = readonly [shape: readonly number[], axis: number];

/** Rows and columns, and lengths around those of the vectors and tiles of 16 bits. */
const ORDINARY: readonly Shape[] = [
  [[8, 3], 1],
  [[3, 2, 37], 1],
  [[257, 4], -1],
  [[2, 3, 5, 7], 2],
  [[33, 17], 0],
];

const EMPTY: readonly Shape[] = [
  [[0, 3], -1],
  [[2, 3, 0], 1],
];

const LARGE: readonly Shape[] = [
  [[4099, 3], -1],
  [[2, 3, 4099], 1],
  [[65_537, 1], -1],
  [[2, 4099, 1], 1],
];

/** A trial of each shape and dtype, which goes through the modes. */
function halves(
  shapes: readonly Shape[],
  modes: readonly ModeName[],
  x?: Draw,
  dy?: Draw,
  layer: Omit<Trial, "name" | "axis" | "steps"> = {},
): Trial[] {
  const numbers = { ...(x && { x }), ...(dy && { dy }) };
  return (["float16", "bfloat16"] as const).flatMap((dtype: HalfDType) =>
    shapes.map(
      ([shape, axis]): Trial => ({
        name: `[${shape.join(", ")}] in ${dtype}`,
        axis,
        ...layer,
        steps: modes.map((mode) => ({ ...step(mode, shape, numbers), dtype })),
      }),
    ),
  );
}

const TRAINING: readonly ModeName[] = ["training-gradient", "masked-gradient"];

/** Layers on half precision. */
export const HALVES: readonly TrialGroup[] = [
  {
    id: "half/every-mode",
    clause: "13.3",
    trials: [
      ...halves(ORDINARY, ALL_MODES),
      ...halves(EMPTY, ["inference", "inference-gradient", "frozen"]),
      ...halves(ORDINARY.slice(0, 2), ALL_MODES, undefined, undefined, { config: { varianceEstimator: "sample", momentum: 0.5 } }),
      ...halves(ORDINARY.slice(0, 2), ALL_MODES, undefined, undefined, { config: { scale: false, center: false, momentum: 0 } }),
    ],
  },
  { id: "half/large", clause: "13.3", slow: true, trials: halves(LARGE, ["inference", ...TRAINING], (drawn) => drawn + 64) },
  {
    id: "half/offset",
    clause: "12.8",
    // Of a float16 near 1000 half a unit is left, of a bfloat16 four: the deviations are whole units all the same.
    trials: halves(ORDINARY, TRAINING, (_, k) => 1000 + 8 * ((k * 5) % 7), undefined, { config: { momentum: 0.5 } }),
  },
  {
    id: "half/large-deviations",
    clause: "12.8",
    // Squares and sums beyond 65504, of numbers within.
    trials: halves(
      ORDINARY,
      ALL_MODES,
      (drawn) => drawn * 1024,
      (drawn) => drawn * 256,
      {
        config: { momentum: 0.9 },
        movingVariance: () => 1e7,
      },
    ),
  },
  {
    id: "half/small-deviations",
    clause: "12.8",
    // Subnormal numbers of float16, and their squares.
    trials: halves(ORDINARY, ALL_MODES, (_, k) => (((k * 37) % 129) - 64) * 2 ** -20, undefined, {
      config: { epsilon: 1e-9, momentum: 0.5 },
      movingMean: () => 2 ** -18,
      movingVariance: () => 2 ** -30,
    }),
  },
  {
    id: "half/results-at-the-ends",
    clause: "12.8",
    trials: [
      ...halves(ORDINARY, ["inference-gradient", "training-gradient"], undefined, (drawn) => drawn * 2 ** -20, {
        gamma: () => 3e-6,
        beta: () => 0,
      }),
      ...halves(ORDINARY, ["inference-gradient", "training-gradient"], undefined, (drawn) => drawn * 2000, {
        gamma: (c) => (c % 2 === 0 ? 4e4 : -3e4),
      }),
    ],
  },
  {
    id: "half/between-float32",
    clause: "13.3",
    // One layer on every dtype in turn, and a backward that belongs to each.
    trials: ORDINARY.map(
      ([shape, axis]): Trial => ({
        name: `[${shape.join(", ")}] in every dtype`,
        axis,
        config: { momentum: 0.5 },
        steps: (["float16", undefined, "bfloat16", "float16", undefined] as const).map((dtype) => ({
          ...step("training-gradient", shape),
          dtype,
        })),
      }),
    ),
  },
];
