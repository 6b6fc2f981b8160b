import { fileURLToPath } from "node:url";
import { noBrowser, openPage, withBrowser } from "@batchnorm/in-browser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The module in the page. */
declare const module: typeof import("./browser/page.ts");

// The conformance suite runs in Chromium by `pnpm conformance:browser`. Here is what it does not ask: the tape, memory, models.
describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "in Chromium"), () => {
  let opened: Awaited<ReturnType<typeof openPage>>;

  beforeAll(async () => {
    opened = await openPage({ module: fileURLToPath(new URL("browser/page.ts", import.meta.url)) });
  }, 60_000);
  afterAll(() => opened?.close());

  it.each(["webgl", "webgpu"])("everything holds on %s", async (backend) => {
    const names = await opened.page.evaluate(() => module.names());
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const violation = await opened.page.evaluate((backend, name) => module.run(backend, name), backend, name);
      expect(violation, name).toBeNull();
    }
  });
});
