import type { Message } from "@batchnorm/conformance";
import { launchBrowser, noBrowser, withBrowser } from "@batchnorm/in-browser";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { watch } from "../src/watch.ts";

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "a watched page"), () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser("chromium");
  });
  afterAll(() => browser?.close());

  it("ends when it crashes, and when it is closed", async () => {
    const page = await browser.newPage();
    const ended = watch(page, () => {});
    const session = await page.createCDPSession();
    session.send("Page.crash").catch(() => {});
    expect(await ended).toEqual({ what: "the page crashed" });
    const other = await browser.newPage();
    const closed = watch(other, () => {});
    await other.close();
    expect(await closed).toEqual({ what: "the page was closed" });
  });

  it("tells of errors in the console and of those that nobody caught", async () => {
    const page = await browser.newPage();
    const told: Message[] = [];
    watch(page, (message) => told.push(message));
    await page.evaluate(() => {
      console.error("the console shows this");
      console.warn("no error");
      setTimeout(function late() {
        throw new Error("nobody catches this");
      });
    });
    await expect.poll(() => told).toHaveLength(2);
    expect(told).toEqual([
      { kind: "noticed", what: "The console shows an error: the console shows this" },
      { kind: "uncaught", why: "nobody catches this", detail: expect.stringMatching(/^at late /) },
    ]);
  });
});
