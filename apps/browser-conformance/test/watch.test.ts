import { findChromium, launchChromium, noChromium, withChromium } from "@batchnorm/in-browser";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Watch } from "../src/watch.ts";

describe.skipIf(noChromium() !== null)(withChromium("a watched page"), () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium(findChromium());
  });
  afterAll(() => browser?.close());

  it("breaks when it crashes, and says what it was doing", async () => {
    const page = await browser.newPage();
    const watch = new Watch(page, 60);
    watch.heard("while inference/x ran");
    const session = await page.createCDPSession();
    session.send("Page.crash").catch(() => {});
    await expect(watch.broken).rejects.toThrow("The page crashed while inference/x ran; nothing ran after that.");
    watch.stop();
  });

  it("keeps the first five errors of the console and counts the others", async () => {
    const page = await browser.newPage();
    const watch = new Watch(page, 60);
    await page.evaluate(() => {
      for (let k = 0; k < 7; k++) console.error(`error ${k}`);
      console.warn("no error");
    });
    await expect.poll(() => watch.problems).toHaveLength(6);
    expect(watch.problems[0]).toBe("The console shows an error while it was loading: error 0");
    expect(watch.problems[5]).toBe("The page had 2 more such errors.");
    watch.stop();
  });
});
