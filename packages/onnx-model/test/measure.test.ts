import { momentsOf } from "@batchnorm/spec/moments";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { batchMoments } from "../src/execute/batch-moments.ts";
import { ReusedOutputs } from "../src/execute/reused-outputs.ts";
import type { Feeds, Session } from "../src/execute/runtime.ts";
import { expectCode } from "./expect-code.ts";

/** The bounds of clause 19.2. Twice, since the reference is rounded, too. */
function expectMoments(data: Float32Array, shape: readonly number[], axis: number): void {
  const found = batchMoments({ data, shape }, axis);
  const { count, mean, centeredSum } = momentsOf({ data: Float64Array.from(data), shape }, axis);
  expect(found.count).toBe(count);
  const inner = shape.slice(axis + 1).reduce((size, dimension) => size * dimension, 1);
  const u = 2 ** -53;
  const sums = new Float64Array(mean.length);
  for (const [k, value] of data.entries()) {
    const c = Math.floor(k / inner) % mean.length;
    sums[c] += Math.abs(value - mean[c]);
  }
  for (const [c, value] of mean.entries()) {
    const average = sums[c] / count;
    const e = (count + 1) * u * (average + Math.abs(value));
    expect(Math.abs(found.mean[c] - value)).toBeLessThanOrEqual(2 * e);
    const bound = (count + 5) * u * centeredSum[c] + 2 * count * average * e + count * e ** 2;
    expect(Math.abs(found.centeredSum[c] - centeredSum[c])).toBeLessThanOrEqual(2 * bound);
  }
}

describe("batchMoments", () => {
  it.each([
    [[1, 3, 1], 1],
    [[2, 3], 1],
    [[50, 7, 9], 1],
    [[8, 5, 13, 3], 1],
    [[40, 6, 6, 16], 3],
    [[3000, 2], 1],
  ])("keeps the bounds of clause 19.2: %j, axis %i", (shape, axis) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    for (const [offset, width] of [
      [0, 1],
      [1e5, 1],
      [-3, 1e-4],
      [0, 1e-30],
    ]) {
      expectMoments(
        Float32Array.from({ length: size }, (_, k) => offset + width * Math.sin(k * k)),
        shape,
        axis,
      );
    }
  });

  it("keeps them where the first element of a channel lies far from all others", () => {
    const data = Float32Array.from({ length: 4096 }, (_, k) => (k === 0 ? 1e6 : Math.sin(k)));
    expectMoments(data, [2048, 2], 1);
  });

  it("says nothing of no elements, and lets a NaN spoil its own channel only", () => {
    const none = batchMoments({ data: new Float32Array(0), shape: [0, 2, 3] }, 1);
    expect([none.count, [...none.mean], [...none.centeredSum]]).toEqual([0, [0, 0], [0, 0]]);
    const spoilt = batchMoments({ data: Float32Array.of(1, Number.NaN, 3, 4), shape: [2, 2] }, 1);
    expect([...spoilt.mean, ...spoilt.centeredSum]).toEqual([2, Number.NaN, 2, Number.NaN]);
  });
});

/** A session that doubles x; `writes` as onnxruntime-node does, or new arrays whatever it is given, as onnxruntime-web. */
function doubling(writes: boolean): { readonly session: Session; readonly given: boolean[] } {
  const given: boolean[] = [];
  const run = async ({ x }: Feeds, outputs: readonly string[] | Feeds): Promise<Feeds> => {
    const data = x.data as Float32Array;
    if (data[0] === 13) throw new Error("unlucky");
    const into = Array.isArray(outputs) ? undefined : (outputs as Feeds).y;
    given.push(into !== undefined);
    if (into === undefined) {
      const y = data.map((value) => 2 * value);
      return { y: new ort.Tensor("float32", y, x.dims) };
    }
    if (writes) for (const [k, value] of data.entries()) (into.data as Float32Array)[k] = 2 * value;
    return { y: into };
  };
  return { session: { inputNames: ["x"], outputNames: ["y"], run } as unknown as Session, given };
}

function feedsOf(...values: number[]): Feeds {
  return { x: new ort.Tensor("float32", Float32Array.from(values), [values.length]) };
}

describe("ReusedOutputs", () => {
  it("writes into the arrays of the run before, as long as shapes stay", async () => {
    const { session, given } = doubling(true);
    const runs = new ReusedOutputs(session, ["y"]);
    const seen: number[][] = [];
    for (const feeds of [feedsOf(1, 2), feedsOf(3, 4), feedsOf(5, 6), feedsOf(7), feedsOf(8)]) {
      seen.push([...((await runs.run(feeds)).y.data as Float32Array)]);
    }
    expect(seen).toEqual([[2, 4], [6, 8], [10, 12], [14], [16]]);
    expect(given).toEqual([false, true, true, false, true]);
  });

  it("finds a runtime that takes arrays and does not write to them", async () => {
    const { session, given } = doubling(false);
    const runs = new ReusedOutputs(session, ["y"]);
    const seen: number[][] = [];
    for (const feeds of [feedsOf(1, 2), feedsOf(3, 4), feedsOf(5, 6)]) seen.push([...((await runs.run(feeds)).y.data as Float32Array)]);
    expect(seen).toEqual([
      [2, 4],
      [6, 8],
      [10, 12],
    ]);
    expect(given).toEqual([false, true, false, false]);
  });

  it("leaves failures of the runtime what they are", async () => {
    const runs = new ReusedOutputs(doubling(true).session, ["y"]);
    await runs.run(feedsOf(1));
    await expectCode("runtime-failure", () => runs.run(feedsOf(13)));
    await expectCode("invalid-argument", () => runs.run({}));
    expect([...((await runs.run(feedsOf(2))).y.data as Float32Array)]).toEqual([4]);
  });
});
