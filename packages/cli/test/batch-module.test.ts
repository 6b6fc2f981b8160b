import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { batchnorm, fixture, temporaryFolder } from "./run.ts";

const file = temporaryFolder();
const digits = fixture("recalibration/digits.onnx");
const images = [0, 1, 2, 3].map((k) => fixture(`recalibration/images-${k}.npy`));

/** Reads the test's images in batches of 50, as `recalibrate --batch-size 50` cuts them: each file on its own. */
const READ = `
import { readFileSync } from "node:fs";
function* read() {
  for (const path of ${JSON.stringify(images)}) {
    const bytes = readFileSync(path);
    const data = new Float32Array(Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
    for (let k = 0; k < data.length; k += 50 * 64) {
      const part = data.subarray(k, k + 50 * 64);
      yield { data: part, shape: [part.length / 64, 1, 8, 8] };
    }
  }
}`;

let modules = 0;

function moduleOf(text: string): string {
  // A name of its own: Node loads a module once.
  const path = file(`batches-${modules++}.mjs`);
  writeFileSync(path, text);
  return path;
}

const recalibrate = (data: string, ...more: string[]) =>
  batchnorm("recalibrate", digits, "--data", data, "--out", file("new.onnx"), ...more);

describe("a module that gives batches", () => {
  it.each([
    ["a generator function", `${READ} export default read;`],
    ["an async function that returns one", `${READ} export default async () => read();`],
    ["an async generator function", `${READ} export default async function* () { yield* read(); }`],
    ["an async iterable", `${READ} export default { [Symbol.asyncIterator]: async function* () { yield* read(); } };`],
    ["a list", `${READ} export default [...read()];`],
    ["arrays by name", `${READ} export default function* () { for (const image of read()) yield { image, label: 1 }; }`],
    [
      "plain lists",
      `${READ} export default function* () { for (const { data, shape } of read()) yield { data: [...data], dims: shape }; }`,
    ],
  ])("is read like a file of the same data: %s", async (_, text) => {
    for (const rounds of ["one", "exact"]) {
      await batchnorm("recalibrate", digits, "--data", ...images, "--batch-size", "50", "--rounds", rounds, "--out", file("files.onnx"));
      const { status, out, err } = await recalibrate(moduleOf(text), "--rounds", rounds);
      expect(err).toBe("");
      expect(status).toBe(0);
      expect(out).toContain("300 samples\n");
      expect(readFileSync(file("new.onnx")).equals(readFileSync(file("files.onnx")))).toBe(true);
    }
  });

  it("may be read once, but not again for another level", async () => {
    const path = moduleOf(`${READ} export default read();`);
    expect((await recalibrate(path, "--rounds", "one")).status).toBe(0);
    const { err } = await recalibrate(moduleOf(`${READ} export default read();`), "--rounds", "exact");
    expect(err).toMatch(/invalid-file: The batches of batches-\d+\.mjs can be read once/);
  });

  it("is measured in shards, whose samples are counted on the way", async () => {
    const path = moduleOf(`${READ} export default read;`);
    const names = ["1.json", "2.json", "3.json", "9.json"].map(file);
    for (const [k, name] of names.slice(0, 3).entries()) {
      const { out, err } = await batchnorm("recalibrate", digits, "--data", path, "--shard", `${k + 1}/3`, "--out", name);
      expect(err).toBe("");
      expect(out).toMatch(/shard \d of 3: \d+ of 300 samples/);
    }
    expect((await batchnorm("merge", digits, ...names.slice(0, 3), "--out", file("merged.onnx"))).status).toBe(0);
  });

  it.each([
    ["export const x = 1;", "invalid-file: batches-N.mjs gives no batches: received undefined, expected a default export"],
    ["export default 7;", "invalid-file: batches-N.mjs gives no batches: received 7"],
    ["export default () => 7;", "invalid-file: batches-N.mjs gives no batches: received 7"],
    ["export default function* () {}", "empty-batch: There are no batches"],
    ["export default 7 +;", "invalid-file: The module batches-N.mjs could not be loaded"],
    ["export default () => { throw new Error('no disk'); };", 'invalid-file: batches-N.mjs failed: received "no disk"'],
    ["export default function* () { throw new Error('no disk'); }", 'invalid-file: batches-N.mjs failed: received "no disk"'],
    ["export default [7];", "invalid-argument: Batch 1 of batches-N.mjs: it is no batch"],
    ["export default [{ picture: 1 }];", "invalid-argument: Batch 1 of batches-N.mjs: there is no array for the model's input image"],
    ["export default [{ data: [1], shape: 1 }];", "invalid-argument: Batch 1 of batches-N.mjs: the shape of image is wrong"],
    ["export default [{ data: 'x', shape: [1] }];", "invalid-argument: Batch 1 of batches-N.mjs: the data of image is wrong"],
    ["export default [{ data: [1, 2], shape: [1, 1, 8, 8] }];", "Batch 1 of batches-N.mjs: the data of image does not fill its shape"],
    ["export default [{ data: [1], shape: [1, 1, 1, 1] }];", "runtime-failure: The runtime failed"],
    ["export default [{ data: new Array(64).fill(NaN), shape: [1, 1, 8, 8] }];", "non-finite: Batch 1 of the data gives no usable mean"],
  ])("is refused: %s", async (text, message) => {
    const path = moduleOf(text);
    const { status, err } = await recalibrate(path);
    expect(err.replaceAll(/batches-\d+/g, "batches-N")).toContain(message);
    expect(err.split("\n")).toHaveLength(2);
    expect(status).toBe(2);
  });

  it.each([
    [["--batch-size", "5"], "A module cuts its batches itself"],
    [["--array", "image=x"], "A module names its arrays itself"],
    [["--data", "other.npy"], "A module gives all of the data"],
  ])("takes no %j", async (more, message) => {
    const path = moduleOf(`${READ} export default read;`);
    const argv = more[0] === "--data" ? ["--data", path, more[1]] : ["--data", path, ...more];
    const { err, status } = await batchnorm("recalibrate", digits, ...argv, "--out", file("new.onnx"));
    expect(err).toContain(message);
    expect(status).toBe(2);
  });
});
