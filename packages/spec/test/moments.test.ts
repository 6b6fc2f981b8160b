import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Moments, mergeMoments, momentsOf, statisticsOf } from "../src/moments.ts";
import { expectRefusal } from "./expect-error.ts";

// The vectors of section 19, and wrong implementations that they have to catch.

interface Truth {
  readonly count: number;
  readonly mean: readonly number[];
  readonly centeredSum: readonly number[];
  readonly averageDeviation: readonly number[];
}

interface Part {
  readonly rows: number;
  readonly x: readonly number[];
  readonly mask: readonly number[] | null;
  readonly truth: Truth;
}

interface Case {
  readonly name: string;
  readonly channels: number;
  readonly parts: readonly Part[];
  readonly merged: Truth;
}

interface Implementation {
  readonly momentsOf: typeof momentsOf;
  readonly mergeMoments: typeof mergeMoments;
}

const OURS: Implementation = { momentsOf, mergeMoments };
const { cases } = JSON.parse(readFileSync(new URL("moments.json", import.meta.url), "utf8")) as { cases: Case[] };

const U = 2 ** -53;

/** What is further from the truth than clauses 19.2 and 19.3 allow. */
function misses({ count, mean, centeredSum }: Moments, truth: Truth, merges = 0): string[] {
  const n = truth.count + merges;
  const found = count === truth.count ? [] : [`count is ${count}, not ${truth.count}`];
  truth.mean.forEach((wanted, c) => {
    const average = truth.averageDeviation[c];
    // The truth itself is rounded once.
    const e = (n + 1) * U * (average + Math.abs(wanted)) + U * Math.abs(wanted);
    if (!(Math.abs(mean[c] - wanted) <= e)) found.push(`mean[${c}] is ${mean[c]}, not ${wanted}`);
    const sum = truth.centeredSum[c];
    const bound = (n + 6) * U * sum + 2 * n * average * e + n * e * e;
    if (!(Math.abs(centeredSum[c] - sum) <= bound)) found.push(`centeredSum[${c}] is ${centeredSum[c]}, not ${sum}`);
  });
  return found;
}

function check(each: Case, { momentsOf, mergeMoments }: Implementation): string[] {
  const found: string[] = [];
  const parts = each.parts.map(({ rows, x, mask, truth }) => {
    const shown = mask && { data: Uint8Array.from(mask), shape: [rows] };
    const moments = momentsOf({ data: Float32Array.from(x), shape: [rows, each.channels] }, -1, shown);
    found.push(...misses(moments, truth));
    return moments;
  });
  found.push(...misses(mergeMoments(parts), each.merged, parts.length));
  return found;
}

describe("the vectors", () => {
  test.for(cases)("$name", (each) => {
    expect(check(each, OURS)).toEqual([]);
  });
});

describe("a wrong implementation is caught", () => {
  const map = (moments: Moments, mean: (c: number) => number, sum: (c: number) => number): Moments => ({
    count: moments.count,
    mean: moments.mean.map((_, c) => mean(c)),
    centeredSum: moments.mean.map((_, c) => sum(c)),
  });
  const pairwise = (merge: (a: Moments, b: Moments) => Moments): Implementation => ({
    ...OURS,
    mergeMoments: (parts) => parts.reduce(merge),
  });
  const MUTANTS: Readonly<Record<string, Implementation>> = {
    "E[x^2] - E[x]^2": {
      ...OURS,
      momentsOf: (x, axis, mask) => {
        const right = momentsOf(x, axis, mask);
        const squares = momentsOf({ ...x, data: x.data.map((value) => value ** 2) }, axis, mask);
        return map(
          right,
          (c) => right.mean[c],
          (c) => right.count * (squares.mean[c] - right.mean[c] ** 2),
        );
      },
    },
    "sums in float32": {
      ...OURS,
      momentsOf: (x, axis, mask) => {
        const right = momentsOf(x, axis, mask);
        return map(
          right,
          (c) => Math.fround(right.mean[c]),
          (c) => Math.fround(right.centeredSum[c]),
        );
      },
    },
    "the mask is ignored": { ...OURS, momentsOf: (x, axis) => momentsOf(x, axis) },
    "the mask is the other way round": {
      ...OURS,
      momentsOf: (x, axis, mask) => momentsOf(x, axis, mask && { ...mask, data: mask.data.map((each) => 1 - each) }),
    },
    "every batch weighs alike": pairwise((a, b) => {
      const right = mergeMoments([a, b]);
      return map(
        right,
        (c) => (a.mean[c] + b.mean[c]) / 2,
        (c) => right.centeredSum[c],
      );
    }),
    "variances are averaged": pairwise((a, b) => {
      const right = mergeMoments([a, b]);
      const variance = (c: number): number => (a.centeredSum[c] / Math.max(a.count, 1) + b.centeredSum[c] / Math.max(b.count, 1)) / 2;
      return map(
        right,
        (c) => right.mean[c],
        (c) => right.count * variance(c),
      );
    }),
    "the distance of the means is forgotten": pairwise((a, b) => {
      const right = mergeMoments([a, b]);
      return map(
        right,
        (c) => right.mean[c],
        (c) => a.centeredSum[c] + b.centeredSum[c],
      );
    }),
    "the distance is divided by the wrong count": pairwise((a, b) => {
      const right = mergeMoments([a, b]);
      const share = a.count / Math.max(right.count, 1);
      return map(
        right,
        (c) => a.mean[c] + (b.mean[c] - a.mean[c]) * share,
        (c) => right.centeredSum[c],
      );
    }),
    "the last batch is lost": { ...OURS, mergeMoments: (parts) => mergeMoments(parts.slice(0, Math.max(parts.length - 1, 1))) },
    "an empty batch drags the mean to 0": pairwise((a, b) => {
      const right = mergeMoments([a, b]);
      return a.count === 0 || b.count === 0
        ? map(
            right,
            (c) => (a.mean[c] + b.mean[c]) / 2,
            (c) => right.centeredSum[c],
          )
        : right;
    }),
  };

  test.for(Object.entries(MUTANTS))("%s", ([, mutant]) => {
    expect(cases.flatMap((each) => check(each, mutant))).not.toEqual([]);
  });
});

test("parts that were written down and read again merge to the same bits", () => {
  const parts = cases[1].parts.map(({ rows, x }) => momentsOf({ data: Float32Array.from(x), shape: [rows, 3] }, 1));
  const read = (text: string): Moments => {
    const { count, mean, centeredSum } = JSON.parse(text);
    return { count, mean: Float64Array.from(mean), centeredSum: Float64Array.from(centeredSum) };
  };
  const written = parts.map(({ count, mean, centeredSum }) => JSON.stringify({ count, mean: [...mean], centeredSum: [...centeredSum] }));
  expect(mergeMoments(written.map(read))).toEqual(mergeMoments(parts));
});

test("a merger shares no memory with its parts", () => {
  const part = momentsOf({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] }, 1);
  const merged = mergeMoments([part]);
  merged.mean.fill(9);
  merged.centeredSum.fill(9);
  expect([...part.mean, ...part.centeredSum]).toEqual([2, 3, 2, 2]);
});

test("any axis, and a NaN stays in its channel", () => {
  const data = Float32Array.of(1, 2, 3, Number.NaN, 5, 6, 7, 8);
  const { count, mean } = momentsOf({ data, shape: [2, 2, 2] }, 1);
  expect(count).toBe(4);
  expect([...mean]).toEqual([3.5, Number.NaN]);
});

test("as statistics: one rounding, and either estimator", () => {
  const moments = { count: 4, mean: Float64Array.of(0.1), centeredSum: Float64Array.of(3) };
  expect(statisticsOf(moments)).toEqual({ movingMean: Float32Array.of(0.1), movingVariance: Float32Array.of(0.75) });
  expect(statisticsOf(moments, "sample").movingVariance).toEqual(Float32Array.of(1));
  expect(statisticsOf({ ...moments, count: 1 }, "sample").movingVariance).toEqual(Float32Array.of(3));
});

describe("refuses", () => {
  const x = { data: new Float32Array(6), shape: [3, 2] };
  test("to merge nothing", () =>
    expectRefusal("invalid-argument", { action: () => mergeMoments([]), received: "[]", expected: "at least one part" }));
  test("parts of different channels", () =>
    expectRefusal("wrong-length", {
      action: () => mergeMoments([momentsOf(x, 1), momentsOf(x, 0)]),
      received: "3",
      expected: "2 channels",
    }));
  test("a mask that does not fit", () =>
    expectRefusal("invalid-mask", {
      action: () => momentsOf(x, 1, { data: new Uint8Array(2), shape: [2] }),
      received: "[2]",
      expected: "bool [3], filled",
    }));
  test("statistics of nothing", () =>
    expectRefusal("empty-batch", {
      action: () => statisticsOf(momentsOf({ data: new Float32Array(0), shape: [0, 2] }, 1)),
      received: "0",
      expected: "at least one element per channel",
    }));
  test("integers", () =>
    expectRefusal("unknown-dtype", {
      action: () => momentsOf({ data: new Uint8Array(6) as never, shape: [3, 2] }, 1),
      received: '"bool"',
      expected: "float32 or float64",
    }));
});
