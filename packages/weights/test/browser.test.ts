import { fileURLToPath } from "node:url";
import { noBrowser, openPage, withBrowser } from "@batchnorm/in-browser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readWeights } from "../src/index.ts";
import { bytesOf } from "./files.ts";

/** The module in the page. */
declare const module: typeof import("./browser/page.ts");

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "in Chromium"), () => {
  let opened: Awaited<ReturnType<typeof openPage>>;

  beforeAll(async () => {
    opened = await openPage({ module: fileURLToPath(new URL("browser/page.ts", import.meta.url)) });
  }, 60_000);
  afterAll(() => opened?.close());

  it.each(["keras/functional.keras", "keras/images.compressed.keras", "tf-keras/functional.h5", "pytorch/net.safetensors"])(
    "%s reads as in Node",
    async (name) => {
      const bytes = bytesOf(name);
      const json = await opened.page.evaluate((base64) => module.read(base64), Buffer.from(bytes).toString("base64"));
      expect(json).toEqual((await readWeights(bytes)).toJSON());
      expect(json.layers.length).toBeGreaterThan(0);
    },
  );
});
