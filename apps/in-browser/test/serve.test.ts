import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { noBrowser, openPage, serveDirectory, servePage, withBrowser } from "../src/index.ts";

const directory = mkdtempSync(join(tmpdir(), "in-browser-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

it("serves a directory below a path, and nothing else", async () => {
  file("numbers.json", "[1, 2]");
  const { url, close } = await serveDirectory(directory, "/data/");
  try {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/data\/$/);
    expect(await (await fetch(`${url}numbers.json`)).json()).toEqual([1, 2]);
    expect((await fetch(`${url}nothing.json`)).status).toBe(404);
    expect((await fetch(new URL("/numbers.json", url))).status).toBe(404);
  } finally {
    await close();
  }
});

it("leaves no page behind, be it closed or never built", async () => {
  const temporary = mkdtempSync(join(directory, "temporary-"));
  vi.stubEnv("TMPDIR", temporary);
  try {
    await expect(servePage({ module: file("unparsable.js", "const = 5;") })).rejects.toThrow(/unparsable\.js/);
    expect(readdirSync(temporary)).toEqual([]);
    const { close } = await servePage({ module: file("empty.js", "export {};") });
    expect(readdirSync(temporary)).toHaveLength(1);
    await close();
    expect(readdirSync(temporary)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});

/** The module in the page. */
declare const module: { readonly answer: number };

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "a page"), () => {
  it("has the module that it loads, with an alias resolved and files beside it, and is cross-origin isolated", async () => {
    file("numbers.json", "[1, 2]");
    const aliased = file("six.js", "export const six = 6;");
    const { page, close } = await openPage({
      module: file("module.js", 'import { six } from "the-six";\nexport const answer = 7 * six;'),
      aliases: { "the-six": aliased },
      files: directory,
    });
    try {
      expect(await page.evaluate(() => module.answer)).toBe(42);
      expect(await page.evaluate(async () => (await fetch("/numbers.json")).json())).toEqual([1, 2]);
      expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    } finally {
      await close();
    }
  });
});
