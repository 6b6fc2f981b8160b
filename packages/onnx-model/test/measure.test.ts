import { momentsOf } from "@batchnorm/spec/moments";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { batchMoments } from "../src/execute/batch-moments.ts";
import { analysed, Execution } from "../src/execute/execution.ts";
import { findRefusedOutput, type RefusedOutput } from "../src/execute/refused-output.ts";
import { ReusedOutputs } from "../src/execute/reused-outputs.ts";
import type { Feeds, Runtime, Session } from "../src/execute/runtime.ts";
import { expectCode } from "./expect-code.ts";
import { modelOf } from "./fixtures.ts";

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
    const runs = new ReusedOutputs(session, ["y"], null);
    const seen: number[][] = [];
    for (const feeds of [feedsOf(1, 2), feedsOf(3, 4), feedsOf(5, 6), feedsOf(7), feedsOf(8)]) {
      seen.push([...((await runs.run(feeds)).y.data as Float32Array)]);
    }
    expect(seen).toEqual([[2, 4], [6, 8], [10, 12], [14], [16]]);
    expect(given).toEqual([false, true, true, false, true]);
  });

  it("finds a runtime that takes arrays and does not write to them", async () => {
    const { session, given } = doubling(false);
    const runs = new ReusedOutputs(session, ["y"], null);
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
    const runs = new ReusedOutputs(doubling(true).session, ["y"], null);
    await runs.run(feedsOf(1));
    await expectCode("runtime-failure", () => runs.run(feedsOf(13)));
    await expectCode("invalid-argument", () => runs.run({}));
    expect([...((await runs.run(feedsOf(2))).y.data as Float32Array)]).toEqual([4]);
  });

  it("reads what was written before the runtime refused an output", async () => {
    const { runs, given } = refusing("no type");
    const seen: number[][] = [];
    for (const feeds of [feedsOf(1, 2), feedsOf(3, 4), feedsOf(5, 6)]) seen.push([...((await runs.run(feeds)).y.data as Float32Array)]);
    expect(seen).toEqual([
      [2, 4],
      [6, 8],
      [10, 12],
    ]);
    expect(given).toEqual([["y"], ["refused", "y"], ["refused", "y"]]);
  });

  it("runs once more where the runtime failed with other words", async () => {
    const { runs, given } = refusing("out of memory");
    await runs.run(feedsOf(1, 2));
    expect([...((await runs.run(feedsOf(3, 4))).y.data as Float32Array)]).toEqual([6, 8]);
    expect(given).toEqual([["y"], ["refused", "y"], ["y"]]);
  });
});

/** A session that doubles x, and throws where its output `refused` is wanted. */
function refusing(words: string): { readonly runs: ReusedOutputs; readonly given: string[][] } {
  const given: string[][] = [];
  const { session } = doubling(true);
  const run = async (feeds: Feeds, outputs: readonly string[] | Feeds): Promise<Feeds> => {
    given.push(Array.isArray(outputs) ? [...outputs] : Object.keys(outputs));
    const results = (await session.run(feeds, outputs as readonly string[])) as Feeds;
    if (Object.hasOwn(outputs, "refused")) throw new Error(words);
    return results;
  };
  const refused: RefusedOutput = { name: "refused", message: "Error: no type" };
  return { runs: new ReusedOutputs({ inputNames: ["x"], outputNames: ["y"], run } as unknown as Session, ["y"], refused), given };
}

describe("findRefusedOutput", () => {
  const taken = new Set(["refused"]);
  const find = (runtime: Runtime, opset: number) => findRefusedOutput(runtime, {}, opset, (name) => taken.has(name));

  it("finds that onnxruntime-node writes before it refuses", async () => {
    expect(await find(ort, 11)).toEqual({ name: "refused_", message: "Error: Non tensor type is temporarily not supported." });
    expect(await find(ort, 10)).toBeNull();
  });

  it("finds none in a runtime that takes no sequence, hands it over, or writes nothing", async () => {
    const runtime = (run: (() => Promise<object>) | null): Runtime => {
      const session = { run, release: async () => {} };
      const create = async () => {
        if (run === null) throw new Error("no sequences");
        return session;
      };
      return { Tensor: ort.Tensor, InferenceSession: { create } } as unknown as Runtime;
    };
    expect(await find(runtime(null), 11)).toBeNull();
    expect(
      await find(
        runtime(async () => ({})),
        11,
      ),
    ).toBeNull();
    const fails = async () => {
      throw new Error("no type");
    };
    expect(await find(runtime(fails), 11)).toBeNull();
  });

  it("lets a measurement read every batch in the same arrays", async () => {
    const subject = await analysed(modelOf({ file: "recalibration/digits.onnx" }));
    const inputs = subject.analysis.matches.map(({ input }) => input);
    const execution = await Execution.open(subject, ort, inputs, { whole: false, isRepeated: true });
    const image = (k: number): Feeds => ({ image: new ort.Tensor("float32", new Float32Array(64).fill(k), [1, 1, 8, 8]) });
    const runs = [await execution.runAgain(image(1)), await execution.runAgain(image(2)), await execution.runAgain(image(3))];
    const once = await Execution.open(subject, ort, inputs, { whole: false });
    const expected = await once.run(image(3));
    for (const name of inputs.filter((each) => each !== "image")) {
      expect(runs[2].get(name)!.data).toBe(runs[1].get(name)!.data);
      expect([...runs[2].get(name)!.data]).toEqual([...expected.get(name)!.data]);
    }
    await Promise.all([execution.close(), once.close()]);
  });
});
