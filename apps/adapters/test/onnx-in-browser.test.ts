import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { findChromium, launchChromium, noChromium, type Site, servePage, withChromium } from "@batchnorm/in-browser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** The module in the page. */
declare const module: typeof import("./onnx-page.ts");

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof launchChromium>>["newPage"]>>;

// The conformance suite runs in Chromium by `pnpm conformance:browser`. Here is what it does not ask.
describe.skipIf(noChromium() !== null)(withChromium("backend-onnx in Chromium"), () => {
  let site: Site;
  let browser: Awaited<ReturnType<typeof launchChromium>>;

  beforeAll(async () => {
    site = await servePage({ module: fileURLToPath(new URL("onnx-page.ts", import.meta.url)) });
    browser = await launchChromium(findChromium());
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function inPage<Value>(url: string, task: (page: Page) => Promise<Value>): Promise<Value> {
    const page = await browser.newPage();
    try {
      await page.goto(url);
      return await task(page);
    } finally {
      await page.close();
    }
  }

  test("webgpu without an adapter is refused by createBackend, and wasm in its place is called wasm", async () => {
    const names = await inPage(site.url, (page) =>
      page.evaluate(async () => {
        module.withoutAdapter();
        return [await module.nameOf(["webgpu"]), await module.nameOf(["webgpu", "wasm"])];
      }),
    );
    expect(names).toEqual([expect.stringMatching(/^runtime-failure: .*Failed to get GPU adapter/), "onnx/wasm"]);
  });

  test("webgpu with an adapter is webgpu", async () => {
    expect(await inPage(site.url, (page) => page.evaluate(() => module.nameOf(["webgpu", "wasm"])))).toBe("onnx/webgpu");
  });

  const places = ["on the host", "on the GPU", "on the GPU, by the older provider"] as const;
  test.each(places)("on webgpu every byte of a mask but 0 shows its element: %s", async (where) => {
    const [plain, alpha] = await inPage(site.url, (page) => page.evaluate((given) => module.maskedSteps(given), where));
    expect(alpha).toEqual(plain);
  });

  test("on webgpu calls that overlap act as if each had been awaited", async () => {
    const { atOnce, inTurn } = await inPage(site.url, (page) => page.evaluate(() => module.overlapping()));
    expect(atOnce).toEqual(inTurn);
  });

  test("on webgpu training leaves no buffers behind", async () => {
    const { before, after } = await inPage(site.url, (page) => page.evaluate(() => module.growthOnGpu()));
    expect(before).toBeGreaterThan(0);
    expect(after).toBe(before);
  });

  describe("under a Content-Security-Policy", () => {
    /** The site behind a server that adds the header. */
    async function withPolicy<Value>(policy: string, task: (url: string) => Promise<Value>): Promise<Value> {
      const server = createServer(async ({ url = "/" }, response) => {
        const answer = await fetch(new URL(url, site.url), { headers: { "accept-encoding": "identity" } });
        const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== "transfer-encoding"));
        response.writeHead(answer.status, { ...headers, "content-security-policy": policy });
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        return await task(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    }

    test("the one of the README is enough", async () => {
      const trained = await withPolicy("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", (url) =>
        inPage(url, (page) => page.evaluate(() => module.trainOnWasm())),
      );
      expect(trained).toEqual({ name: "onnx/wasm", movingMean: [0, expect.closeTo(1.0833333, 6)] });
    });

    test("one that forbids WebAssembly is an error of createBackend", async () => {
      const name = await withPolicy("default-src 'self'", (url) => inPage(url, (page) => page.evaluate(() => module.nameOf())));
      expect(name).toMatch(/^runtime-failure: ONNX Runtime does not start here and said .*(wasm|WebAssembly|Content Security Policy)/s);
    });
  });
});
