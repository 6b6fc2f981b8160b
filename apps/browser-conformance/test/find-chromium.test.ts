import { UsageError } from "@batchnorm/conformance/node";
import { afterEach, expect, it, vi } from "vitest";
import { findChromium } from "../src/chromium.ts";

afterEach(() => vi.unstubAllEnvs());

it("takes the browser that CHROMIUM names", () => {
  vi.stubEnv("CHROMIUM", process.execPath);
  expect(findChromium()).toBe(process.execPath);
});

it("says so when CHROMIUM names no program", () => {
  vi.stubEnv("CHROMIUM", "/nowhere/chromium");
  expect(findChromium).toThrow(new UsageError("CHROMIUM is /nowhere/chromium, where there is no program that may be executed."));
});

it("says in one sentence what to do when there is no browser", () => {
  vi.stubEnv("CHROMIUM", "");
  vi.stubEnv("PATH", "/nowhere");
  expect(findChromium).toThrow(/^There is no Chromium on the PATH: install one \(.+\), or name it in the environment variable CHROMIUM\.$/);
});
