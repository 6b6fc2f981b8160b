import { readFileSync } from "node:fs";
import { fromJSON } from "@batchnorm/spec/convert";
import { momentsOf } from "@batchnorm/spec/moments";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { type Feeds, recalibrate } from "../src/execute/index.ts";
import { find, type OnnxModel, readStates } from "../src/index.ts";
import { expectCode } from "./expect-code.ts";
import { modelOf, tensorsOf } from "./fixtures.ts";
import { Models } from "./model-builder.ts";

const known = tensorsOf("recalibration/digits.tensors.safetensors");
const digits = modelOf({ file: "recalibration/digits.onnx" });
const IMAGE = 64;
const images = imagesOf(["images-0.npy", "images-1.npy", "images-2.npy", "images-3.npy"]);

/** The float32 images of NumPy files, one after the other: a header whose length stands in bytes 8 and 9, and the data. */
function imagesOf(files: readonly string[]): Float32Array {
  const parts = files.map((file) => {
    const bytes = readFileSync(new URL(`models/recalibration/${file}`, import.meta.url));
    return new Float32Array(Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
  });
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function batchesOf(data: Float32Array, size: number): Feeds[] {
  const batches: Feeds[] = [];
  for (let from = 0; from < data.length; from += size * IMAGE) {
    const part = data.subarray(from, from + size * IMAGE);
    batches.push({ image: new ort.Tensor("float32", part, [part.length / IMAGE, 1, 8, 8]) });
  }
  return batches;
}

/** Products in the sums before each layer, with the layers before it at 10 roundings each (clause 12.2) and 2 for the activations. */
const ROUNDINGS: Readonly<Record<string, number>> = { pixel_norm: 0, stem_norm: 21, depth_norm: 42, point_norm: 60, dense_norm: 130 };

/**
 * How far a statistic may be from NumPy's. What the layer reads is off by at most delta, the roundings before it at the largest magnitude that it
 * reads; a mean moves by no more than its terms, a variance by 2 deviation delta + delta^2; both are rounded to float32.
 */
function bounds(round: string, layer: string): { mean: number[]; variance: number[] } {
  const mean = known.get(`${round}/${layer}/movingMean`)!.data;
  const variance = known.get(`${round}/${layer}/movingVariance`)!.data;
  const largest = Math.max(...Array.from(mean, (value, c) => Math.abs(value) + 4 * Math.sqrt(variance[c])));
  const delta = ROUNDINGS[layer] * 2 ** -24 * largest;
  return {
    mean: Array.from(mean, (value) => delta + 2 ** -24 * Math.abs(value)),
    variance: Array.from(variance, (value) => 2 * Math.sqrt(value) * delta + delta ** 2 + 2 ** -24 * value),
  };
}

async function statisticsOf(model: OnnxModel, layer: string): Promise<{ movingMean: Float32Array; movingVariance: Float32Array }> {
  return fromJSON((await readStates(model)).states[layer]).state.statistics;
}

describe.each(["one", "exact"] as const)("recalibrate, rounds: %s", (rounds) => {
  it.each([1, 7, 300])("gives what NumPy gives in float64, in batches of %i", async (size) => {
    const { model, moments, drift, skipped } = await recalibrate(digits, { ort, rounds, batches: batchesOf(images, size) });
    expect(skipped).toEqual([]);
    expect(drift).toHaveLength(5);
    for (const layer of Object.keys(ROUNDINGS)) {
      const bound = bounds(rounds, layer);
      const { movingMean, movingVariance } = await statisticsOf(model, layer);
      expect(moments[layer].count).toBe(Number(new DataView(known.get(`${rounds}/${layer}/count`)!.data.buffer).getBigInt64(0, true)));
      for (const [c, value] of known.get(`${rounds}/${layer}/movingMean`)!.data.entries())
        expect(Math.abs(movingMean[c] - value), `mean ${c} of ${layer}`).toBeLessThanOrEqual(bound.mean[c]);
      for (const [c, value] of known.get(`${rounds}/${layer}/movingVariance`)!.data.entries())
        expect(Math.abs(movingVariance[c] - value), `variance ${c} of ${layer}`).toBeLessThanOrEqual(bound.variance[c]);
    }
  });
});

describe("recalibrate", () => {
  it("does not depend on the order of the data beyond rounding", async () => {
    const backwards = batchesOf(images, 7).reverse();
    const [a, b] = [
      await recalibrate(digits, { ort, batches: batchesOf(images, 7) }),
      await recalibrate(digits, { ort, batches: backwards }),
    ];
    for (const layer of Object.keys(ROUNDINGS)) {
      const [{ movingMean: first }, { movingMean: second }] = [await statisticsOf(a.model, layer), await statisticsOf(b.model, layer)];
      const bound = bounds("one", layer).mean;
      for (const [c, value] of first.entries()) expect(Math.abs(value - second[c])).toBeLessThanOrEqual(2 * bound[c]);
    }
  });

  it("changes chosen layers only, and reports what moved most first", async () => {
    const { model, drift } = await recalibrate(digits, { ort, layers: ["stem_norm", "dense_norm"], batches: batchesOf(images, 50) });
    expect(drift.map(({ layer }) => layer).sort()).toEqual(["dense_norm", "stem_norm"]);
    expect(drift[0].drift).toBeGreaterThanOrEqual(drift[1].drift);
    const [{ channels }] = drift;
    expect(channels.map((each) => each.drift)).toEqual(channels.map((each) => each.drift).sort((a, b) => b - a));
    expect(await statisticsOf(model, "depth_norm")).toEqual(await statisticsOf(digits, "depth_norm"));
    expect(await statisticsOf(model, "stem_norm")).not.toEqual(await statisticsOf(digits, "stem_norm"));
  });

  it("moves nothing where the data is what the statistics came from", async () => {
    const once = await recalibrate(digits, { ort, rounds: "exact", batches: batchesOf(images, 100) });
    const again = await recalibrate(once.model, { ort, batches: batchesOf(images, 100) });
    expect(again.drift[0].drift).toBeLessThan(1e-5);
    expect(once.drift[0].drift).toBeGreaterThan(0.1);
  });

  it("reads the data anew for every level, and says how far it is", async () => {
    let reads = 0;
    const seen: string[] = [];
    const batches = function* () {
      reads += 1;
      yield* batchesOf(images, 150);
    };
    await recalibrate(digits, {
      ort,
      rounds: "exact",
      batches,
      onProgress: ({ pass, passes, batches: n }) => seen.push(`${pass}/${passes} ${n}`),
    });
    expect(reads).toBe(5);
    expect(seen.slice(0, 3)).toEqual(["0/5 1", "0/5 2", "1/5 1"]);
  });

  it("measures with training mode off, and leaves it on", async () => {
    const models = new Models();
    const x = models.input("x", ["N", 2]);
    models.ops(
      "BatchNormalization",
      [x, models.float([2, 3]), models.float([0, 1]), models.float([0, 0]), models.float([1, 1])],
      { training_mode: 1 },
      ["h", "m", "v"],
    );
    models.ops("BatchNormalization", ["h", models.float([1, 1]), models.float([0, 0]), models.float([0, 0]), models.float([1, 1])], {}, [
      "y",
    ]);
    const model = models.output("y", ["N", 2]).model();
    const data = Float32Array.of(1, 10, 2, 20, 6, 60);
    const feeds = { x: new ort.Tensor("float32", data, [3, 2]) };
    const result = await recalibrate(model, { ort, batches: [feeds] });
    const { layers } = await find(result.model);
    expect(layers.map(({ mode }) => mode)).toEqual(["training", "inference"]);
    // The second layer reads 2 x and 3 x + 1 over sqrt(1 + epsilon), not the batch normalized by itself.
    const scale = 1 / Math.sqrt(1 + Math.fround(1e-5));
    const expected = momentsOf(
      { data: Float32Array.from(data, (value, k) => (k % 2 === 0 ? 2 * value * scale : 3 * value * scale + 1)), shape: [3, 2] },
      1,
    );
    expect(result.moments[layers[1].name].mean[0]).toBeCloseTo(expected.mean[0], 4);
    expect(result.moments[layers[1].name].mean[1]).toBeCloseTo(expected.mean[1], 4);
  });

  it("refuses no data, data without an input, data that is not finite, and layers that are not there", async () => {
    await expectCode("empty-batch", () => recalibrate(digits, { ort, batches: [] }));
    await expectCode("invalid-argument", () => recalibrate(digits, { ort, batches: [{}] }));
    await expectCode("non-finite", () => recalibrate(digits, { ort, batches: batchesOf(images.slice(0, IMAGE).fill(Number.NaN), 1) }));
    await expectCode("invalid-argument", () => recalibrate(digits, { ort, layers: ["nobody"], batches: [] }));
    await expectCode("unsupported", () => recalibrate(modelOf({ file: "keras/digits-training.onnx" }), { ort, batches: [] }));
    await expectCode("cannot-convert", () => recalibrate(modelOf({ file: "keras/digits.onnx" }), { ort, batches: [] }));
  });
});
