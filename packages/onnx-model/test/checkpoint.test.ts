import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { type Checkpoint, type Feeds, measureShard, recalibrate } from "../src/execute/index.ts";
import { writeModel } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { modelOf } from "./fixtures.ts";

const digits = modelOf({ file: "recalibration/digits.onnx" });

/** Six batches of 5 images. */
function* batches(): Generator<Feeds> {
  for (let b = 0; b < 6; b++) {
    const data = Float32Array.from({ length: 5 * 64 }, (_, k) => Math.sin(k + 100 * b) + b / 3);
    yield { image: new ort.Tensor("float32", data, [5, 1, 8, 8]) };
  }
}

/** Stops after so many batches of all passes, and gives what is kept of it, through JSON. */
async function stoppedAfter(count: number, options: Partial<Parameters<typeof recalibrate>[1]>): Promise<Checkpoint> {
  const stop = new AbortController();
  const reason = new Error("stopped");
  let kept = "";
  let seen = 0;
  const run = recalibrate(digits, {
    ort,
    batches,
    signal: stop.signal,
    ...options,
    onProgress: ({ checkpoint }) => {
      if (++seen < count) return;
      kept = JSON.stringify(checkpoint());
      stop.abort(reason);
    },
  });
  await expect(run).rejects.toBe(reason);
  expect(seen).toBe(count);
  return JSON.parse(kept) as Checkpoint;
}

describe.each(["one", "exact"] as const)("a measurement that was stopped, rounds: %s", (rounds) => {
  it("goes on, and gives the same bits", async () => {
    const whole = writeModel((await recalibrate(digits, { ort, batches, rounds })).model);
    for (const count of rounds === "one" ? [1, 4, 6] : [1, 6, 7, 20, 30]) {
      const checkpoint = await stoppedAfter(count, { rounds });
      expect(checkpoint).toMatchObject({ pass: Math.floor((count - 1) / 6), batches: ((count - 1) % 6) + 1 });
      let more = 0;
      const { model } = await recalibrate(digits, { ort, batches, rounds, checkpoint, onProgress: () => void more++ });
      expect(more).toBe((rounds === "one" ? 6 : 30) - count);
      expect(writeModel(model)).toEqual(whole);
    }
  });
});

describe("a checkpoint", () => {
  it("of a shard goes on, too", async () => {
    const shard = { index: 1, of: 1, samples: 30, totalSamples: 30, data: "sines" };
    const whole = await measureShard(digits, { ort, batches, shard });
    const kept: Checkpoint[] = [];
    await measureShard(digits, { ort, batches, shard, onBatch: ({ checkpoint }) => void kept.push(checkpoint()) });
    for (const checkpoint of kept) expect(await measureShard(digits, { ort, batches, shard, checkpoint })).toEqual(whole);
    await expectCode("invalid-argument", () => measureShard(digits, { ort, batches, shard, checkpoint: kept[2], key: "other" }));
  });

  it("of another model, other data or other options is refused, and so is anything else", async () => {
    const checkpoint = await stoppedAfter(2, { key: "a" });
    const resume = (more: object, model = digits) => recalibrate(model, { ort, batches, key: "a", checkpoint, ...more });
    await expect(resume({})).resolves.toBeDefined();
    await expectCode("invalid-argument", () => resume({ key: "b" }));
    await expectCode("invalid-argument", () => resume({ rounds: "exact" }));
    await expectCode("invalid-argument", () => resume({ estimator: "sample" }));
    await expectCode("invalid-argument", () => resume({ layers: ["stem_norm"] }));
    const other = (await recalibrate(digits, { ort, batches })).model;
    await expectCode("invalid-argument", () => resume({}, other));
    await expectCode("invalid-argument", () => resume({ batches: [...batches()].slice(0, 1) }));
    for (const wrong of [{ version: 2 }, { batches: -1 }, { pass: "0" }, { layers: {} }, { layers: [{ name: "stem_norm" }] }])
      await expectCode("invalid-json", () => resume({ checkpoint: { ...checkpoint, ...wrong } }));
    for (const wrong of [null, 1, "x", []]) await expectCode("invalid-json", () => resume({ checkpoint: wrong }));
  });
});

describe("a shard without batches", () => {
  it("changes nothing", async () => {
    const shard = { index: 1, of: 2, samples: 0, totalSamples: 30, data: "sines" };
    const { layers } = await measureShard(digits, { ort, batches: [], shard });
    expect(layers.map(({ count, mean }) => [count, mean.length])).toEqual([1, 6, 6, 12, 16].map((channels) => [0, channels]));
  });
});
