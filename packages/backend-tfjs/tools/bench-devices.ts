import { fileURLToPath } from "node:url";
import { openPage } from "@batchnorm/in-browser";

/** The module in the page. */
declare const module: typeof import("./bench-devices-page.ts");

/** `[N, H, W, C]`: a first block of a ResNet, a mobile network's stem, a last block, a dense layer, and the overhead of a call. */
const SHAPES = [
  [8, 56, 56, 64],
  [1, 112, 112, 32],
  [8, 7, 7, 1280],
  [256, 512],
  [8, 8],
];
const ROUNDS = 7;

/**
 * `node --conditions=@batchnorm/source bench-devices.ts`: prints, as Markdown, how this package compares with tfjs's own composition on
 * webgl and webgpu in headless Chromium.
 */
const { page, close } = await openPage({ module: fileURLToPath(new URL("bench-devices-page.ts", import.meta.url)) });
console.log("| backend | shape | work | tfjs, ms | this package, ms | tfjs / this | difference |\n|---|---|---|---|---|---|---|");
for (const backend of process.argv.length > 2 ? process.argv.slice(2) : ["webgl", "webgpu"]) {
  for (const shape of SHAPES) {
    const rows = await page.evaluate((backend, shape, rounds) => module.measure(backend, shape, rounds), backend, shape, ROUNDS);
    for (const { work, tfjs, ours, difference } of rows) {
      const cells = [backend, `[${shape}]`, work, tfjs.toFixed(1), ours.toFixed(1), (tfjs / ours).toFixed(2), difference.toExponential(1)];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
}
await close();
