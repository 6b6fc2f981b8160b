import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, launch, type Page } from "puppeteer-core";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSERS, findBrowser, noBrowser } from "../src/browser/find-browser.ts";
import { type Served, serveDirectory } from "../src/browser/serve.ts";
import { type Matrix, mergeMatrices, type RunCell, writeMatrix } from "../src/matrix/index.ts";
import { page as pageOf } from "../src/reporters/page.ts";
import { buildPageIfStale } from "./build.ts";
import { MATRIX } from "./matrix-fixture.ts";

/** Looks for what keeps people from using a page: contrast, headers of tables, names of controls, order of headings. */
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
declare const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

const directory = mkdtempSync(join(tmpdir(), "page-test-"));
let site: Served;

/** The same on more runtimes than a phone is wide. */
const WIDE: Matrix = mergeMatrices([
  MATRIX,
  ...["node-22", "node-24", "node-26", "bun", "deno", "chromium"].map((id) => ({
    ...MATRIX,
    runtimes: [{ ...MATRIX.runtimes[0], id, name: id }],
    cells: MATRIX.cells.filter(({ status }) => status === "ran").map((cell) => ({ ...cell, runtime: id })),
  })),
]);
const fixed = join(directory, "fixed.json");
beforeAll(async () => {
  buildPageIfStale();
  // Not as a file, though it works as one: Firefox tells of no request for those.
  site = await serveDirectory(vite, directory);
  writeFileSync(join(directory, "page.html"), pageOf([MATRIX]));
  writeFileSync(join(directory, "wide.html"), pageOf([WIDE]));
  const right = MATRIX.cells.find(({ backend }) => backend === "right/two") as RunCell;
  const cells = MATRIX.cells.map((cell) => (cell.backend === "wrong/one" ? { ...right, backend: "wrong/one" } : cell));
  writeFileSync(fixed, writeMatrix({ ...MATRIX, started: "2026-11-27T09:00:00.000Z", cells }));
});
afterAll(async () => {
  await site?.close();
  rmSync(directory, { recursive: true });
});

describe.each(BROWSERS)("the page in %s", (name) => {
  const missing = noBrowser(name);
  if (missing !== null) {
    it.skip(`is not tested: ${missing}`, () => {});
    return;
  }
  let browser: Browser;
  let page: Page;
  const wrong: string[] = [];
  const requests: string[] = [];
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");

  beforeAll(async () => {
    // CI runs as root, where Chromium's sandbox does not start.
    browser = await launch(
      name === "firefox"
        ? { browser: "firefox", executablePath: findBrowser(name) }
        : { executablePath: findBrowser(name), args: ["--no-sandbox"] },
    );
    page = await browser.newPage();
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    page.on("request", (request) => requests.push(request.url()));
  }, 60_000);
  afterAll(() => browser?.close());

  it("shows the result, fits a phone, and asks nobody for anything", async () => {
    await page.setViewport({ width: 360, height: 700 });
    await page.goto(`${site.url}page.html`);
    expect(await page.$eval("h1", (heading) => heading.textContent)).toBe("✗ 1 of 2 backends conforms");
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    await page.setViewport({ width: 1200, height: 900 });
    expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([`${site.url}page.html`]);
  });

  it("scrolls a matrix that is wider than a phone, and nothing else, with the keyboard", async () => {
    await page.setViewport({ width: 360, height: 700 });
    await page.goto(`${site.url}wide.html`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    await page.waitForSelector('section[aria-label="Backends on runtimes"][tabindex="0"]');
    await page.focus("section.scroll");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.$eval("section.scroll", (section) => section.scrollLeft)).toBeGreaterThan(0);
    await page.setViewport({ width: 1200, height: 900 });
    await page.goto(`${site.url}page.html`);
  });

  it("leads from a cell to its details, and down to the values, with the keyboard alone", async () => {
    // From the top of the page: the table that scrolls, and the cells in it.
    for (let presses = 0; presses < 10 && !(await focused()).startsWith("✓"); presses++) await page.keyboard.press("Tab");
    expect(await focused()).toBe("✓ 1 passed");
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("✓ right/two on Node 20");
    expect(await page.$eval("a[aria-current]", (link) => link.textContent)).toBe("✓ 1 passed");
    // Back to the cell that fails, as the browser's way back goes.
    await page.evaluate(() => history.back());
    await expect.poll(focused).toBe("✗ wrong/one on Node 20");
    await page.keyboard.press("Tab");
    expect(await focused()).toMatch(/^6\.1 The formula/);
    const open = () => page.$$eval("details", ([first]) => first.open);
    expect(await open()).toBe(true);
    await page.keyboard.press("Enter");
    expect(await open()).toBe(false);
    await page.keyboard.press("Enter");
    // What is opened is made a moment later.
    await page.waitForSelector("table.numbers tbody");
    expect(await page.$eval("table.numbers tbody", (body) => body.textContent)).toContain("movingVariance[1]2234.19e+60.058817");
  });

  it("shows where the focus is", async () => {
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline).toBe("solid");
  });

  it.each(["light", "dark"])("has no fault that keeps people from using it, in %s colors", async (scheme) => {
    if (name === "chromium") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    else await page.evaluate((value) => document.documentElement.style.setProperty("color-scheme", value), scheme);
    await page.$$eval("details", (all) => {
      for (const each of all) each.open = true;
    });
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => axe.run());
    expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
  });

  it("compares with a second file, and says what is wrong with one that is none", async () => {
    const input = (await page.$('input[type="file"]'))!;
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(join(directory, "page.html"));
    await page.waitForSelector('[role="alert"]');
    expect(await page.$eval('[role="alert"]', (alert) => alert.textContent)).toMatch(/^The matrix is not JSON/);
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(fixed);
    await page.waitForSelector(".diff");
    expect(await page.$eval("h1", (heading) => heading.textContent)).toBe("4 better, nothing worse");
    expect(await page.$('[role="alert"]')).toBeNull();
  });

  it("had no error", () => {
    expect(wrong).toEqual([]);
  });
});
