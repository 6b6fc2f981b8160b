import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromJSON } from "@batchnorm/spec/convert";
import { afterAll, expect, test } from "vitest";
import { readWeightsFile } from "../src/node.ts";
import { refusalOf } from "./expect-layers.ts";
import { pathOf } from "./files.ts";

const folder = mkdtempSync(join(tmpdir(), "weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([join(folder, "absent.keras"), folder])("%s cannot be read", async (path) => {
  const error = await refusalOf(() => readWeightsFile(path));
  expect(error).toMatchObject({ code: "invalid-file", cause: { code: "ENOENT" } });
  expect(error.message).toContain(path);
});

test("a path that is none", async () => {
  expect(await refusalOf(() => readWeightsFile(7 as never))).toMatchObject({ code: "invalid-argument" });
});

test("a file that is none says its name", async () => {
  writeFileSync(join(folder, "noise.keras"), Uint8Array.of(1, 2, 3));
  const error = await refusalOf(() => readWeightsFile(join(folder, "noise.keras")));
  expect(error).toMatchObject({ code: "invalid-file", message: expect.stringMatching(/^noise\.keras: /) });
});

test("a shard that is missing", async () => {
  const index = join(folder, "images.weights.json");
  copyFileSync(pathOf("keras/images.weights.json"), index);
  copyFileSync(pathOf("keras/images_00000.weights.h5"), join(folder, "images_00000.weights.h5"));
  const error = await refusalOf(() => readWeightsFile(index));
  expect(error).toMatchObject({ code: "invalid-file", received: "images_00001.weights.h5", cause: { code: "ENOENT" } });
});

test("variables that are missing in a shard are the layer's reason", async () => {
  const index = join(folder, "images.weights.json");
  copyFileSync(pathOf("keras/images.weights.json"), index);
  copyFileSync(pathOf("keras/images_00000.weights.h5"), join(folder, "images_00000.weights.h5"));
  // Another model's shard, which has no group for this layer.
  copyFileSync(pathOf("hdf5/features.h5"), join(folder, "images_00001.weights.h5"));
  const { layers } = await readWeightsFile(index);
  expect(layers).toMatchObject([{ path: "layers/batch_normalization", state: null, reason: { code: "invalid-file" } }]);
});

test("a link that leads out of the folder is not followed", async () => {
  const inner = mkdtempSync(join(folder, "inner-"));
  writeFileSync(join(folder, "secret.bin"), new Uint8Array(4));
  symlinkSync(join(folder, "secret.bin"), join(inner, "w.bin"));
  const weights = [{ name: "n/moving_mean", shape: [1], dtype: "float32" }];
  writeFileSync(join(inner, "model.json"), JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: ["w.bin"], weights }] }));
  const error = await refusalOf(() => readWeightsFile(join(inner, "model.json")));
  expect(error).toMatchObject({ code: "invalid-file", cause: { message: "w.bin is a link that leads out of the folder" } });
});

test("the result is JSON, and its layers are portable states", async () => {
  const file = await readWeightsFile(pathOf("keras/renorm.keras"));
  const [renormalized, ordinary] = JSON.parse(JSON.stringify(file)).layers;
  expect(renormalized).toMatchObject({ name: "renormalized", layer: null, reason: { code: "cannot-convert" } });
  const { config, state } = file.layers[1];
  expect(ordinary).toMatchObject({ name: "ordinary", framework: "keras", assumed: [], reason: null });
  expect(fromJSON(ordinary.layer)).toEqual({ config, state });
});
