import { type BatchNormConfig, DEFAULT_CONFIG, type Supports } from "@batchnorm/spec";
import * as fc from "fast-check";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Moving, stepWithTruth } from "../trials/truth.ts";
import type { Case, Step } from "../vectors/case.ts";

/** A random layer and its batches, small enough to shrink to something that a person can read. */
export interface Scenario {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly config: Partial<BatchNormConfig>;
  /** Seed of all numbers of the scenario. */
  readonly seed: number;
  /** The mean of the data, over a deviation of about `spread`, a power of two. */
  readonly offset: number;
  readonly spread: number;
  readonly masked: boolean;
}

/** Random shapes of rank 2 to 5, every axis, random configs and data; only what the manifest supports. */
export function scenarios(supports: Supports): fc.Arbitrary<Scenario> {
  const maxRank = Math.min(supports.maxRank ?? 5, 5);
  return fc
    .array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: maxRank })
    .chain((shape) => withShape(supports, shape, fc.integer({ min: -shape.length, max: shape.length - 1 })));
}

/** Powers of two and their neighbours: where vector lanes, tiles, workgroups and small integers end. */
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513, 1023, 1025, 2047, 2049];

/** Batches that are long in one, two or three of outer, channels and inner; no more elements than a test should take. */
export function largeScenarios(supports: Supports): fc.Arbitrary<Scenario> {
  const size = fc.constantFrom(...SIZES);
  return fc
    .tuple(size, size, size)
    .filter(([outer, channels, inner]) => outer * channels * inner <= 16_384)
    .chain((view) => withShape(supports, largeShape(supports, view), fc.constant(1)));
}

/** One batch each that is long in one direction only. */
export function largeExamples(supports: Supports): Scenario[] {
  return (
    [
      [70_001, 1, 1],
      [3, 4099, 1],
      [2, 3, 4099],
    ] as const
  ).map((view) => ({
    shape: largeShape(supports, view),
    axis: 1,
    config: { momentum: 0 },
    seed: 1,
    offset: 1,
    spread: 1,
    masked: false,
  }));
}

function largeShape({ maxRank }: Supports, [outer, channels, inner]: readonly [number, number, number]): number[] {
  return inner === 1 || (maxRank !== null && maxRank < 3) ? [outer * inner, channels] : [outer, channels, inner];
}

function withShape(supports: Supports, shape: readonly number[], axis: fc.Arbitrary<number>): fc.Arbitrary<Scenario> {
  return fc.record({
    shape: fc.constant(shape),
    axis,
    config: fc.record({
      momentum: fc.constantFrom(0, 0.1, 0.5, 0.9, 0.99, 1),
      epsilon: fc.constantFrom(1e-7, 1e-5, 1e-3, 0.1, 1),
      center: fc.boolean(),
      scale: fc.boolean(),
      varianceEstimator: fc.constantFrom(...supports.varianceEstimators),
    }),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    offset: fc.constantFrom(0, 1, -30, 1000),
    spread: fc.constantFrom(1, 2 ** -10, 128),
    masked: supports.masks ? fc.boolean() : fc.constant(false),
  });
}

/** What one step of a scenario does. */
export interface StepKind {
  readonly training: boolean;
  readonly trainable: boolean;
  readonly gradient: boolean;
}

/** Turns a scenario into a case whose truth the oracle computes; `change` makes another x out of the scenario's own. */
export function buildCase(
  id: string,
  clause: string,
  scenario: Scenario,
  kinds: readonly StepKind[],
  change: (x: number, k: number, all: Float32Array) => number = (x) => x,
): Case {
  const { shape, axis, offset, spread, masked } = scenario;
  const config: BatchNormConfig = { ...DEFAULT_CONFIG, ...scenario.config, axis };
  const random = generator(scenario.seed);
  const channels = shape.at(axis)!;
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const numbers = (length: number, make: () => number): Float32Array => Float32Array.from({ length }, make);
  const state = {
    parameters: {
      gamma: config.scale ? numbers(channels, () => random() * 4 - 2) : null,
      beta: config.center ? numbers(channels, () => random() * 4 - 2) : null,
    },
    statistics: {
      movingMean: numbers(channels, () => offset + spread * (random() - 0.5)),
      movingVariance: numbers(channels, () => spread ** 2 * (0.1 + random())),
    },
  };
  let moving: Moving = state.statistics;
  const steps = kinds.map(({ training, trainable, gradient }): Step => {
    // On a grid of a sixteenth of the spread, a power of two: shifting and scaling x then lose no bit of it.
    const drawn = numbers(size, () => offset + (spread * Math.round((random() - 0.5) * 64)) / 16);
    const x = drawn.map(change);
    const mask = masked ? Uint8Array.from({ length: size / channels }, () => (random() < 0.7 ? 1 : 0)) : null;
    const dy = gradient ? numbers(size, () => random() * 2 - 0.5) : null;
    const step = stepWithTruth(config, state.parameters, moving, { training, trainable, shape, x, mask, dy });
    moving = step.truth;
    return step;
  });
  return { id, clause, flags: [], reference: null, config, state, steps };
}

/** Uniform numbers in [0, 1) from a seed. */
function generator(seed: number): () => number {
  const source = xoroshiro128plus(seed);
  return () => uniformFloat64(source);
}
