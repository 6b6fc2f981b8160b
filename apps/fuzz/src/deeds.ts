import type { BatchNormConfig } from "@batchnorm/spec";
import fc from "fast-check";

// What can happen to a layer, as plain data: it is drawn once, happens on every backend, and is what a failure shows.

/** Where the elements of a tensor come from: a seed, an offset that all share, and perhaps a NaN. */
export interface Data {
  readonly seed: number;
  readonly offset: number;
  /** The place of a NaN as a share of the length; null for none. */
  readonly nan: number | null;
}

export type MaskKind = "some" | "one" | "all" | "none";

export type Deed =
  | {
      readonly kind: "call";
      readonly shape: readonly number[];
      readonly x: Data;
      readonly training: boolean;
      readonly mask: MaskKind | null;
      readonly gradient: boolean | null;
    }
  | { readonly kind: "backward"; readonly dy: Data }
  | { readonly kind: "set-parameters"; readonly seed: number }
  | { readonly kind: "set-state"; readonly seed: number }
  | { readonly kind: "state" }
  | { readonly kind: "freeze" | "unfreeze" }
  | { readonly kind: "dispose" }
  | { readonly kind: "misuse"; readonly which: Misuse };

/** Calls that every backend has to refuse, with the same code. */
export const MISUSES = [
  "channels",
  "rank-1",
  "data-length",
  "empty-training",
  "mask-shape",
  "mask-number",
  "gradient-shape",
  "unknown-option",
  "option-type",
  "null-tensor",
  "negative-variance",
  "wrong-length",
  "unknown-field",
  "null-state",
  "promise-state",
] as const;

export type Misuse = (typeof MISUSES)[number];

/** A layer of three channels and what happens to it. */
export interface Sequence {
  readonly config: Omit<BatchNormConfig, "nonFinite">;
  readonly seed: number;
  readonly deeds: readonly Deed[];
}

export const CHANNELS = 3;

/** With the channels at `axis` 1 and at the end, so that one list serves both. */
const SHAPES = [
  [8, 3],
  [1, 3],
  [0, 3],
  [2, 3, 3],
  [5, 3, 7, 3],
  [1, 3, 16, 3],
  [2, 3, 40, 3],
  [70, 3],
  [1100, 3],
];

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

const data = fc.record<Data>({
  seed: seeds,
  offset: fc.constantFrom(0, 0, 1, -30, 1000),
  nan: fc.option(fc.double({ min: 0, max: 0.999, noNaN: true }), { freq: 15 }),
});

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      shape: fc.constantFrom(...SHAPES),
      x: data,
      training: fc.boolean(),
      mask: fc.option(fc.constantFrom<MaskKind>("some", "one", "all", "none")),
      gradient: fc.option(fc.boolean()),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("backward" as const), dy: data }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("set-parameters" as const, "set-state" as const), seed: seeds }) },
  { weight: 1, arbitrary: fc.constantFrom<Deed>({ kind: "state" }, { kind: "freeze" }, { kind: "unfreeze" }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("misuse" as const), which: fc.constantFrom(...MISUSES) }) },
);

/** The state is read at the end; disposed layers refuse all that follows, so that there is little of it. */
const deeds = fc
  .tuple(fc.array(deed, { minLength: 1, maxLength: 24 }), fc.option(fc.array(deed, { maxLength: 3 }), { freq: 4 }))
  .map(([life, after]): readonly Deed[] => [
    ...life,
    { kind: "state" },
    ...(after === null ? [] : [{ kind: "dispose" } as const, ...after]),
  ]);

export const sequences: fc.Arbitrary<Sequence> = fc.record({
  config: fc.record({
    axis: fc.constantFrom(-1, 1),
    momentum: fc.constantFrom(0, 0.1, 0.9, 0.99, 1),
    epsilon: fc.constantFrom(1e-5, 1e-3, 0.1),
    center: fc.boolean(),
    scale: fc.boolean(),
    trainable: fc.boolean(),
    varianceEstimator: fc.constantFrom("population" as const, "sample" as const),
  }),
  seed: seeds,
  deeds,
});
