import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { batchnorm, fixture, temporaryFolder } from "./run.ts";

/** A partial as a test spoils it. */
interface Changeable {
  readonly shard: object;
  readonly layers: object[];
}

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");
const images = [0, 1, 2, 3].map((k) => fixture(`recalibration/images-${k}.npy`));
const archives = ["a", "b"].map((k) => fixture(`recalibration/images-${k}.npz`));

describe("recalibrate", () => {
  it("writes new statistics, and shows how far they are from the old ones", async () => {
    const { status, out, err } = await batchnorm("recalibrate", digits, "--data", ...images, "--out", file("new.onnx"));
    expect(err).toBe("");
    expect(status).toBe(0);
    expect(out).toContain("dense_norm        16    300  0.806    0.806          1.01 .. 1.24\n");
    expect(out).toContain("dense_norm        8  -0.7672 -> -1.146   0.2186 -> 0.2659  0.806\n");
    expect((await batchnorm("inspect", file("new.onnx"))).out).not.toBe((await batchnorm("inspect", digits)).out);
  });

  it("takes the same data from archives, level by level", async () => {
    const argv = ["--data", ...archives, "--array", "image=images", "--rounds", "exact"];
    const { status, out } = await batchnorm("recalibrate", digits, ...argv, "--out", file("exact.onnx"));
    expect(status).toBe(0);
    expect(out).toContain("dense_norm        16    300  0.432    0.432          0.960 .. 1.13\n");
  });

  it("gives every channel as JSON", async () => {
    const { out } = await batchnorm(
      "recalibrate",
      digits,
      "--data",
      ...images,
      "--layer",
      "stem_norm",
      "--json",
      "--out",
      file("one.onnx"),
    );
    const { drift, counts, samples } = JSON.parse(out);
    expect([drift.length, drift[0].channels.length, counts, samples]).toEqual([1, 6, { stem_norm: 19200 }, 300]);
  });

  it("runs on onnxruntime-web, too", async () => {
    await batchnorm("recalibrate", digits, "--data", ...images, "--batch-size", "50", "--out", file("cpu.onnx"));
    const argv = ["--data", ...images, "--batch-size", "50", "--ep", "wasm", "--out", file("wasm.onnx")];
    const { status, err } = await batchnorm("recalibrate", digits, ...argv);
    expect([status, err]).toEqual([0, ""]);
    const statistics = async (name: string): Promise<number[]> => {
      const { states } = JSON.parse((await batchnorm("state", "read", file(name), "--json")).out);
      return [...states.dense_norm.statistics.movingMean, ...states.dense_norm.statistics.movingVariance];
    };
    const [cpu, wasm] = [await statistics("cpu.onnx"), await statistics("wasm.onnx")];
    // Two runtimes add products in another order: some roundings of numbers around 1. The old statistics are farther off.
    for (const [k, value] of cpu.entries()) expect(Math.abs(wasm[k] - value)).toBeLessThan(2 ** -19);
    expect(wasm).not.toEqual(cpu);
  });

  it("says how far it is, and how long it takes, on a terminal", async () => {
    const { main } = await import("../src/cli.ts");
    const shown: string[] = [];
    const terminal = { out: () => undefined, err: (text: string) => void shown.push(text), isInteractive: true };
    await main(["recalibrate", digits, "--data", ...images, "--batch-size", "150", "--out", file("shown.onnx")], terminal);
    expect(shown.join("")).toMatch(/batches: 4 of 4, 0 s left/);
  });

  it.each([
    [["--data", ...archives], 'invalid-argument: images-a.npz has no array for the model\'s input image: received "images, labels"'],
    [["--data", fixture("recalibration/npy-objects.npy")], "invalid-file: The array npy-objects.npy is not of a type that is read"],
    [["--data", fixture("recalibration/npy-float32.npy")], "runtime-failure: The runtime failed"],
    [["--data", "nowhere.npy"], "invalid-file: The data could not be read"],
    [["--data", digits], "invalid-file: digits.onnx is of no format that is read"],
    [["--data", ...images, "--rounds", "two"], "wrong-use: option '--rounds <rounds>' argument 'two' is invalid."],
    [["--data", ...images, "--batch-size", "0"], "wrong-use: option '--batch-size <n>' argument '0' is invalid."],
    [["--data", ...images, "--shard", "3/2"], "wrong-use: option '--shard <i/n>' argument '3/2' is invalid."],
    [["--data", ...images, "--shard", "1/2", "--rounds", "exact"], "invalid-argument: Shards are measured in one pass"],
    [["--data", ...images, "--layer", "nobody"], "invalid-argument: The model has no such layer"],
  ])("refuses %j", async (argv, message) => {
    const { status, err } = await batchnorm("recalibrate", digits, ...argv, "--out", file("never.onnx"));
    expect(err).toContain(`batchnorm: ${message}`);
    expect(err.split("\n")).toHaveLength(2);
    expect(status).toBe(2);
  });
});

describe("recalibrate --shard and merge", () => {
  const shard = (index: number, ...more: string[]) =>
    batchnorm(
      "recalibrate",
      digits,
      "--data",
      ...images,
      "--shard",
      `${index}/3`,
      "--batch-size",
      "7",
      "--out",
      file(`${index}.json`),
      ...more,
    );
  const merge = (...names: string[]) => batchnorm("merge", digits, ...names.map(file), "--out", file("merged.onnx"));

  it("gives the same bits whoever measures the shards, in whatever order", async () => {
    for (const index of [1, 2, 3]) expect((await shard(index)).status).toBe(0);
    expect((await merge("1.json", "2.json", "3.json")).status).toBe(0);
    const first = readFileSync(file("merged.onnx"));
    // Three workers at once, merged in another order.
    await Promise.all([3, 1, 2].map((index) => shard(index)));
    expect((await merge("3.json", "1.json", "2.json")).status).toBe(0);
    expect(readFileSync(file("merged.onnx")).equals(first)).toBe(true);
  });

  it("comes within rounding of what one pass gives", async () => {
    await batchnorm("recalibrate", digits, "--data", ...images, "--out", file("whole.onnx"));
    const means = async (name: string): Promise<number[]> => {
      const { states } = JSON.parse((await batchnorm("state", "read", file(name), "--json")).out);
      return states.dense_norm.statistics.movingMean;
    };
    const [whole, merged] = [await means("whole.onnx"), await means("merged.onnx")];
    // Batches of other sizes may be multiplied in another order: some roundings of numbers around 1.
    for (const [c, value] of whole.entries()) expect(Math.abs(merged[c] - value)).toBeLessThan(2 ** -20);
  });

  it("refuses an incomplete set, a shard that is there twice, and what is foreign", async () => {
    expect((await merge("1.json", "3.json")).err).toContain("invalid-argument: Shards are missing: received [2], expected all of 3.");
    expect((await merge("1.json", "2.json", "2.json")).err).toContain("A shard is there twice: received 2");
    const changed = (name: string, change: (partial: Changeable) => void): string => {
      const partial = JSON.parse(readFileSync(file("2.json"), "utf8"));
      change(partial);
      writeFileSync(file(name), JSON.stringify(partial));
      return name;
    };
    const refused = async (message: string, change: (partial: Changeable) => void) => {
      const { status, err } = await merge("1.json", changed("changed.json", change), "3.json");
      expect(err).toContain(message);
      expect(status).toBe(2);
    };
    await refused("is of another model", (partial) => Object.assign(partial, { model: "0".repeat(64) }));
    await refused("is of other data", (partial) => Object.assign(partial.shard, { data: "x" }));
    await refused("is of another number of shards", (partial) => Object.assign(partial.shard, { of: 4 }));
    await refused("is of other layers", (partial) => void partial.layers.pop());
    await refused("The shards are not all of the data", (partial) => Object.assign(partial.shard, { samples: 1 }));
    await refused("The partial is wrong: the numbers of pixel_norm", (partial) => Object.assign(partial.layers[0], { mean: [null] }));
    await refused("The partial is wrong: format or version", (partial) => Object.assign(partial, { version: 2 }));
    copyFileSync(fixture("recalibration/images-1.npy"), file("other.npy"));
    await batchnorm("recalibrate", digits, "--data", file("other.npy"), "--shard", "2/3", "--batch-size", "2", "--out", file("other.json"));
    expect((await merge("1.json", "other.json", "3.json")).err).toContain("is of other data");
    const other = await batchnorm(
      "merge",
      fixture("tf-keras/digits.onnx"),
      ...["1.json", "2.json", "3.json"].map(file),
      "--out",
      file("x"),
    );
    expect(other.err).toContain("is of another model");
  });
});
