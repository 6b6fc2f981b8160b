import { afterEach, expect, it, vi } from "vitest";
import { launchBrowser, noBrowser, withBrowser } from "../src/index.ts";

afterEach(() => vi.unstubAllEnvs());

it("knows of no reason where there is a browser", () => {
  vi.stubEnv("FIREFOX", process.execPath);
  expect([noBrowser("firefox"), withBrowser("firefox", "a page")]).toEqual([null, "a page"]);
});

it("says why there is none, and starts none", async () => {
  vi.stubEnv("CHROMIUM", "/nowhere/chromium");
  const reason = "CHROMIUM is /nowhere/chromium, where there is no program that may be executed.";
  expect([noBrowser("chromium"), withBrowser("chromium", "a page")]).toEqual([reason, `a page (skipped: ${reason})`]);
  await expect(launchBrowser("chromium")).rejects.toThrow(reason);
});
