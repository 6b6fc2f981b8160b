import { afterEach, expect, it, vi } from "vitest";
import { findChromium, noChromium, withChromium } from "../src/index.ts";

afterEach(() => vi.unstubAllEnvs());

it("takes the browser that CHROMIUM names", () => {
  vi.stubEnv("CHROMIUM", process.execPath);
  expect(findChromium()).toBe(process.execPath);
  expect([noChromium(), withChromium("a page")]).toEqual([null, "a page"]);
});

it("says so when CHROMIUM names no program", () => {
  vi.stubEnv("CHROMIUM", "/nowhere/chromium");
  const reason = "CHROMIUM is /nowhere/chromium, where there is no program that may be executed.";
  expect(findChromium).toThrow(new Error(reason));
  expect([noChromium(), withChromium("a page")]).toEqual([reason, `a page (skipped: ${reason})`]);
});

it("says in one sentence what to do when there is no browser", () => {
  vi.stubEnv("CHROMIUM", "");
  vi.stubEnv("PATH", "/nowhere");
  expect(findChromium).toThrow(/^There is no Chromium on the PATH: install one \(.+\), or name it in the environment variable CHROMIUM\.$/);
});
