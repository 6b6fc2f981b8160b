import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { afterAll, expect, test } from "vitest";
import { readStates, writeModel, writeStates } from "../src/index.ts";
import { folderReader, readModelFile } from "../src/node/index.ts";
import { ElementType, EXTERNAL, TensorProtoSchema } from "../src/proto/index.ts";
import { expectCode } from "./expect-code.ts";
import { Models } from "./model-builder.ts";

const folder = mkdtempSync(join(tmpdir(), "onnx-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

const graph = new Models();
graph.output(graph.op("Relu", [graph.input("x", [1])], {}, "y"), [1]);
const bytes = graph.bytes();

test("a model is read from a file", async () => {
  writeFileSync(join(folder, "model.onnx"), bytes);
  const { proto } = await readModelFile(join(folder, "model.onnx"));
  expect(proto.graph?.node).toHaveLength(1);
  await expectCode("invalid-file", () => readModelFile(join(folder, "absent.onnx")), "ENOENT");
  await expectCode("invalid-file", () => readModelFile(folder), "could not be read");
});

test("a part of a file of 3 GB is read, and no more", async () => {
  const path = join(folder, "weights.bin");
  writeFileSync(
    path,
    Uint8Array.from({ length: 16 }, (_, k) => k),
  );
  // A sparse file: it takes no room on the disk.
  truncateSync(path, 3 * 2 ** 30);
  const read = folderReader(folder);
  expect(await read("weights.bin", 4, 4)).toEqual(Uint8Array.of(4, 5, 6, 7));
  expect(await read("weights.bin", 3 * 2 ** 30 - 2, 2)).toEqual(Uint8Array.of(0, 0));
  // What is beyond the end is not there; whoever asked is told by the length, and no memory is taken for it.
  expect(await read("weights.bin", 3 * 2 ** 30 - 2, 2 ** 40)).toHaveLength(2);
  expect(await read("weights.bin", 2 ** 40, 8)).toHaveLength(0);
});

test("a model with 3 GB of weights beside it is searched and written by its vectors alone", async () => {
  const large = new Models();
  const outside = (name: string, dims: readonly number[], offset: number): string => {
    const externalData = Object.entries({ location: "large.bin", offset: String(offset) }).map(([key, value]) => ({ key, value }));
    const tensor = { name, dims: dims.map(BigInt), dataType: ElementType.float32, dataLocation: EXTERNAL, externalData };
    return large.initializer(create(TensorProtoSchema, tensor));
  };
  // The weight is 3 GB but for the last 64 bytes, which hold the layer's arrays.
  const end = 3 * 2 ** 30 - 64;
  const x = large.op("MatMul", [large.input("x", ["n", 16]), outside("w", [16, (end / 64) | 0], 0)]);
  const columns = large.op("Slice", [x, large.int64([0]), large.int64([4]), large.int64([1])]);
  const arrays = ["weight", "bias", "mean", "var"].map((name, k) => outside(`bn.${name}`, [4], end + 16 * k));
  large.op("BatchNormalization", [columns, ...arrays], {}, "y");
  writeFileSync(join(folder, "large.onnx"), large.output("y", ["n", 4]).bytes());
  writeFileSync(join(folder, "large.bin"), "");
  truncateSync(join(folder, "large.bin"), end);
  appendFileSync(join(folder, "large.bin"), new Uint8Array(Float32Array.from({ length: 16 }, (_, k) => k).buffer));
  const before = process.memoryUsage().rss;
  const model = await readModelFile(join(folder, "large.onnx"));
  const { states } = await readStates(model);
  expect(states.bn.statistics).toEqual({ movingMean: [8, 9, 10, 11], movingVariance: [12, 13, 14, 15] });
  const { model: written } = await writeStates(model, {
    bn: { ...states.bn, statistics: { movingMean: [1, 2, 3, 4], movingVariance: [5, 6, 7, 8] } },
  });
  expect(writeModel(written).length).toBeLessThan(2000);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 29);
});

test("a link out of the folder is refused", async () => {
  symlinkSync(fileURLToPath(import.meta.url), join(folder, "link"));
  symlinkSync(join(folder, "weights.bin"), join(folder, "inside"));
  const read = folderReader(folder);
  await expectCode("invalid-file", () => read("link", 0, 1), "link out of its folder");
  expect(await read("inside", 1, 1)).toEqual(Uint8Array.of(1));
});

test("nothing but this entry needs Node", () => {
  const source = fileURLToPath(new URL("../src", import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && !name.startsWith("node"),
  );
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((name) => /from "node:|\b(Buffer|process)\./.test(readFileSync(join(source, name), "utf8")))).toEqual([]);
});
