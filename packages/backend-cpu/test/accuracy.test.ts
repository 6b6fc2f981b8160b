import { describe, expect, it } from "vitest";
import { createBackend } from "../src/index.ts";
import { moments } from "../src/kernels/moments.ts";
import { engineWithTiles, plainEngine } from "./engines.ts";
import { expectAgreement, expectSameBits } from "./expect-agreement.ts";
import { type Example, example, generator, runExample } from "./numbers.ts";

const plain = createBackend({ kernels: "plain" });
const wasm = createBackend({ kernels: "wasm" });

/** The moving statistics after a training step with momentum 0: those of the batch. */
function batchStatistics(backend: typeof wasm, given: Example): { mean: Float32Array; variance: Float32Array } {
  const { movingMean, movingVariance } = runExample(backend, given, true);
  return { mean: movingMean, variance: movingVariance };
}

function withX(given: Example, value: (k: number) => number): Example {
  return { ...given, x: Float32Array.from(given.x, (_, k) => value(k)) };
}

describe("batch statistics in one pass", () => {
  it("keep 48 bits of a variance (plain: 45) where the first element of a channel lies 100 deviations off", () => {
    // Taken from sums around that element alone, it keeps 40.
    const random = generator(3);
    const n = 40_000;
    const x = Float32Array.from({ length: n }, (_, k) => (k === 0 ? 1e7 : random()));
    const exactMean = compensatedSum(x) / n;
    const exactVariance = compensatedSum(Float64Array.from(x, (value) => (value - exactMean) ** 2)) / n;
    // The plain kernels sum one element after another, the others in segments and lanes.
    for (const [engine, bits] of [
      [engineWithTiles(), 48],
      [plainEngine(), 45],
    ] as const) {
      for (const view of [
        { outer: n, channels: 1, inner: 1 },
        { outer: 1, channels: 1, inner: n },
        { outer: n / 2, channels: 1, inner: 2 },
      ]) {
        const [mean, variance] = [new Float64Array(1), new Float64Array(1)];
        moments(engine, x, view, null, mean, variance);
        expect(Math.abs(mean[0] / exactMean - 1)).toBeLessThan(2 ** -bits);
        expect(Math.abs(variance[0] / exactVariance - 1)).toBeLessThan(2 ** -bits);
      }
    }
  });

  it("have them on an offset of a million", () => {
    for (const [shape, axis] of [
      [[5000, 8], 1],
      [[2, 8, 2500], 1],
    ] as const) {
      const given = example(shape, axis, { offset: 1e6 });
      expect(batchStatistics(wasm, given)).toEqual(batchStatistics(plain, given));
    }
  });

  it("are exact on constant channels", () => {
    const given = withX(example([700, 5], 1), (k) => [3333.3333, -1e-30, 0, 1e30, 7][k % 5]);
    const { mean, variance } = batchStatistics(wasm, given);
    expect([...mean]).toEqual([3333.3333, -1e-30, 0, 1e30, 7].map(Math.fround));
    expect([...variance]).toEqual([0, 0, 0, 0, 0]);
  });

  it("keep an infinity and a NaN in their own channels, wherever they stand", () => {
    for (const [shape, axis] of [
      [[700, 5], 1],
      [[7, 5, 100], 1],
    ] as const) {
      for (const at of [0, 3499]) {
        const given = example(shape, axis);
        for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
          const broken = withX(given, (k) => (k === at ? value : given.x[k]));
          const got = runExample(wasm, broken, true);
          const expected = runExample(plain, broken, true);
          for (const name of ["movingMean", "movingVariance", "dgamma", "dbeta"] as const) expect(got[name]).toEqual(expected[name]);
          expect(got.y.map(Number)).toEqual(expected.y.map((y, k) => (Number.isNaN(y) ? y : got.y[k])));
          expect(got.dx.findIndex((dx, k) => Number.isNaN(dx) !== Number.isNaN(expected.dx[k]))).toBe(-1);
        }
      }
    }
  });
});

describe("values that float32 arithmetic cannot hold", () => {
  it("a variance that overflows float32 normalizes as it should: x = 1e20 and -1e20", () => {
    for (const backend of [plain, wasm, createBackend()]) {
      for (const [shape, axis] of [
        [[400, 3], 1],
        [[4, 3, 100], 1],
        [[2, 1], 1],
      ] as const) {
        const size = (shape as readonly number[]).reduce((a, b) => a * b, 1);
        const channels: number = shape[axis];
        const inner = size / shape[0] / channels;
        // In each channel every other element.
        const sign = (k: number): number => ((inner > 1 ? k % inner : Math.floor(k / channels)) % 2 === 0 ? 1 : -1);
        const layer = backend.create({ axis }, channels);
        const x = { data: Float32Array.from({ length: size }, (_, k) => 1e20 * sign(k)), shape };
        const y = layer.call(x, { training: true });
        expect([...y.data].map((value) => Math.round(value * 1e5) / 1e5)).toEqual([...x.data].map((value) => Math.sign(value)));
        const { movingMean, movingVariance } = layer.state().statistics;
        expect(movingMean[0]).toBe(0);
        // 0.99 + 0.01 * 1e40, which float32 can hold.
        expect(movingVariance[0] / 1e38).toBeCloseTo(1, 6);
      }
    }
  });

  it("channels that do are not touched by those that do not, and places and threads do not show", async () => {
    // Runs, in slabs; the second channel and the last have a factor below float32's normal numbers.
    const given = example([4, 40, 900], 1);
    const isWild = (c: number): boolean => c === 1 || c === 39;
    const dy = given.dy.map((value, k) => (isWild(Math.floor(k / 900) % 40) ? value * 2 ** 100 : value));
    const gamma = given.state.parameters.gamma.map((value, c) => (isWild(c) ? 2 ** -130 : value));
    const state = { ...given.state, parameters: { ...given.state.parameters, gamma } };
    const wild: Example = { ...given, dy, state };
    const threads = createBackend({ kernels: "wasm", threads: 2 });
    await threads.ready;
    const outputs = runExample(wasm, wild, true);
    expectSameBits(runExample(wasm, wild, true, true), outputs);
    expectSameBits(runExample(threads, wild, true, true), outputs);
    threads.terminate();
    expectAgreement(outputs, runExample(plain, wild, true), wild, true);
  });
});

describe("float32 constants", () => {
  const shape = [400, 4];

  const given = example(shape, 1);
  const all = (value: number): Float32Array => new Float32Array(4).fill(value);
  const layer = (gamma: number, movingMean: number, movingVariance: number): Pick<Example, "state" | "config"> => ({
    config: { axis: 1, momentum: 0, epsilon: 2 ** -126 },
    state: {
      parameters: { gamma: all(gamma), beta: all(0) },
      statistics: { movingMean: all(movingMean), movingVariance: all(movingVariance) },
    },
  });

  // Every time float32 holds the result, but not what leads to it.
  const inference: [string, Example][] = [
    ["a factor above float32", { ...given, ...layer(1e30, 0, 0), x: given.x.map((x) => x * 1e-20) }],
    ["a factor below the normal numbers", { ...given, ...layer(1e-25, 0, 1e38), x: given.x.map((x) => x * 1e20) }],
    ["a mean that x - mean overflows with", { ...given, ...layer(1, -3e38, 1e38), x: given.x.map((x) => x * 1e38) }],
    ["an infinite mean", { ...given, ...layer(1, Number.POSITIVE_INFINITY, 1) }],
  ];
  for (const [what, each] of inference) {
    it(`give way to the plain kernels for ${what}`, () => {
      expect(runExample(wasm, each, false).y).toEqual(runExample(plain, each, false).y);
    });
  }

  it("give way to the plain kernels for a mean gradient beyond float32", () => {
    const each = { ...given, ...layer(100, 0, 1), dy: new Float32Array(given.dy.length).fill(3e37) };
    const { dx } = runExample(wasm, each, true);
    // All dy are one number, so dx is 0 but for the last bits of terms of 3e39.
    expect(Math.max(...dx.map(Math.abs))).toBeLessThan(1e25);
    expect(Math.max(...runExample(plain, each, true).dx.map(Math.abs))).toBeLessThan(1e25);
  });

  it("agree within their roundings from 1e-15 to 1e15", () => {
    for (const size of [1e-15, 1e-6, 1e6, 1e15]) {
      const scaled = { ...given, x: given.x.map((x) => x * size), config: { ...given.config, epsilon: 1e-3 } };
      expectAgreement(runExample(wasm, scaled, true), runExample(plain, scaled, true), scaled, true);
    }
  });
});

/** Neumaier's sum: as good as one in twice the precision. */
function compensatedSum(values: Float32Array | Float64Array): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}
