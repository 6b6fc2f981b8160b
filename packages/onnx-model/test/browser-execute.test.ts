import { fileURLToPath } from "node:url";
import { noBrowser, openPage, withBrowser } from "@batchnorm/in-browser";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomInputs, recalibrate } from "../src/execute/index.ts";
import { readStates } from "../src/index.ts";
import { bytesOf, modelOf } from "./fixtures.ts";

/** The module in the page. */
declare const module: typeof import("./browser/execute-page.ts");

const file = "recalibration/digits.onnx";
const digits = Buffer.from(bytesOf({ file })).toString("base64");
const untrained = Buffer.from(bytesOf({ file: "handmade/training-equal-initializers.onnx" })).toString("base64");

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "in Chromium"), () => {
  let opened: Awaited<ReturnType<typeof openPage>>;

  beforeAll(async () => {
    opened = await openPage({ module: fileURLToPath(new URL("browser/execute-page.ts", import.meta.url)) });
  }, 120_000);
  afterAll(() => opened?.close());

  it.each(["wasm", "webgpu"])("verify passes every layer on %s", async (provider) => {
    const { passed, layers, skipped } = await opened.page.evaluate((model, name) => module.verified(model, name), digits, provider);
    expect(layers.filter(({ wrong }) => wrong > 0)).toEqual([]);
    expect([passed, layers.length, skipped]).toEqual([true, 5, []]);
  });

  it("verify finds training mode after sharing equal constants on wasm, too", async () => {
    const { passed, layers } = await opened.page.evaluate((model) => module.verified(model, "wasm"), untrained);
    expect(passed).toBe(false);
    expect(layers.every(({ wrong }) => wrong > 0)).toBe(true);
  });

  it("wasm and webgpu are compared, and are not one", async () => {
    const { passed, values } = await opened.page.evaluate((model) => module.compared(model, "wasm", "webgpu", 1e-5), digits);
    expect(passed).toBe(true);
    expect(values.map(({ kind }) => kind)).toEqual(["layer", "layer", "layer", "layer", "layer", "output"]);
    expect(values.some(({ difference }) => difference > 0)).toBe(true);
  });

  it.each(["wasm", "webgpu"])("recalibrate gives on %s what it gives in Node", async (provider) => {
    const found = await opened.page.evaluate((model, name) => module.recalibrated(model, name), digits, provider);
    const model = modelOf({ file });
    const batches = [0, 1, 2].map((seed) => randomInputs(model, ort, { seed }));
    const { states } = await readStates((await recalibrate(model, { ort, batches })).model);
    expect(Object.keys(found)).toEqual(Object.keys(states));
    for (const [name, { statistics }] of Object.entries(states)) {
      const [mean, variance] = [statistics.movingMean as number[], statistics.movingVariance as number[]];
      // What a layer reads went through at most 130 products and sums before: each rounds once, at the size of the data.
      const size = Math.max(...mean.map((value, c) => Math.abs(value) + 4 * Math.sqrt(variance[c])));
      const delta = 2 * 130 * 2 ** -24 * size;
      for (const [c, value] of mean.entries()) {
        expect(Math.abs(found[name][c] - value)).toBeLessThanOrEqual(delta);
        const bound = 2 * Math.sqrt(variance[c]) * delta + delta ** 2 + 2 ** -23 * variance[c];
        expect(Math.abs(found[name][mean.length + c] - variance[c])).toBeLessThanOrEqual(bound);
      }
    }
  });
});
