import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { noBrowser, openPage, withBrowser } from "@batchnorm/in-browser";
import { describe, expect, it } from "vitest";
import { fold, inspect, writeModel } from "../src/index.ts";
import { readModelFile } from "../src/node/index.ts";

/** The module in the page. */
declare const module: typeof import("./browser/page.ts");

const pathOf = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "in Chromium"), () => {
  it.each([
    ["recalibration/digits.onnx", []],
    ["handmade/external-data.onnx", ["handmade/external-data.onnx.data"]],
  ])(
    "%s is dropped on a page, inspected, folded as in Node, and every fold executed",
    async (name, beside) => {
      const { page, close } = await openPage({ module: fileURLToPath(new URL("browser/page.ts", import.meta.url)) });
      try {
        // A drop of real files, as the browser itself makes it.
        const client = await page.createCDPSession();
        const data = { items: [], files: [name, ...beside].map(pathOf), dragOperationsMask: 1 };
        for (const type of ["dragEnter", "dragOver", "drop"] as const) {
          await client.send("Input.dispatchDragEvent", { type, x: 20, y: 20, data });
        }
        const seen = await page.evaluate(() => module.dropped);
        const model = await readModelFile(pathOf(name));
        const { layers, findings } = await inspect(model);
        const { model: folded, report } = await fold(model);
        expect(seen).toEqual({
          layers: layers.map((layer) => layer.name),
          findings: findings.map(({ code }) => code),
          folded: report.folded.map(({ layer }) => layer),
          kept: report.kept.map(({ code }) => code),
          digest: createHash("sha256").update(writeModel(folded)).digest("hex"),
          passed: true,
          executed: report.folded.length,
        });
        expect(report.folded.length).toBeGreaterThan(0);
      } finally {
        await close();
      }
    },
    60_000,
  );
});
