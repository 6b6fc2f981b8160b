import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { noBrowser, withBrowser } from "@batchnorm/in-browser";
import { BatchNormError, type ErrorCode } from "@batchnorm/spec";
import type { ElementHandle } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltPage, brokenLinks, readPages } from "../src/built-site.ts";
import { OUTPUT, ROOT, SITE } from "../src/place.ts";
import { DESKTOP, PHONE_AT_NIGHT, Visitor } from "./visitor.ts";

// As a project's page on GitHub has it: a link that forgets the base leads nowhere.
const BASE = "/batchnorm/";

let pages: readonly BuiltPage[] = [];

beforeAll(() => {
  execFileSync(process.execPath, ["--conditions=@batchnorm/source", "src/main.ts"], {
    cwd: SITE,
    env: { ...process.env, NODE_ENV: "production", SITE_BASE: BASE },
    stdio: "pipe",
  });
  pages = readPages(OUTPUT, BASE);
}, 600_000);

describe("the built site", () => {
  it("has every kind of page", () => {
    const addresses = new Set(pages.map(({ address }) => address));
    for (const page of [
      "",
      "guide/",
      "guide/modes",
      "porting/keras",
      "look",
      "spec",
      "errors/",
      "reports/conformance",
      "decisions/",
      "api/",
      "api/spec/convert",
    ]) {
      expect(addresses).toContain(`${BASE}${page}`);
    }
  });

  it("has no broken link, no missing anchor, and nothing from another host", () => {
    expect(pages.length).toBeGreaterThan(70);
    expect(pages.flatMap(({ links }) => links).length).toBeGreaterThan(2000);
    expect(brokenLinks(pages, OUTPUT, BASE)).toEqual([]);
  });

  it("has an anchor for every clause of the spec", () => {
    const numbers = [...readFileSync(`${ROOT}/docs/spec.md`, "utf8").matchAll(/^### (\d+)\.(\d+) /gm)];
    expect(numbers.length).toBeGreaterThan(70);
    const spec = pages.find(({ address }) => address === `${BASE}spec`);
    expect(numbers.map(([, section, clause]) => `clause-${section}-${clause}`).filter((id) => !spec?.ids.has(id))).toEqual([]);
  });

  it("has a page for every error code", () => {
    const codes = [...readFileSync(`${ROOT}/packages/spec/src/errors.ts`, "utf8").matchAll(/^ {2}\| "([a-z0-9-]+)"/gm)].map(
      ([, code]) => code,
    );
    expect(codes.length).toBeGreaterThan(20);
    const addresses = new Set(pages.map(({ address }) => address));
    // The address in every error, which has the base that this site is built with.
    const named = codes.map((code) => new URL(new BatchNormError(code as ErrorCode, "It", 1, "another").url).pathname);
    expect(named.filter((path) => !addresses.has(path))).toEqual([]);
  });
});

/** One page of each kind. */
const KINDS = [
  "",
  "guide/",
  "guide/modes",
  "guide/freezing",
  "guide/conventions",
  "guide/other-data",
  "look",
  "spec",
  "errors/invalid-mask",
];
const MORE = ["guide/start", "porting/tfjs", "reports/conformance", "reports/benchmark", "decisions/", "api/backend-cpu"];

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "in a browser"), () => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await Visitor.arrive(OUTPUT, BASE);
  }, 60_000);
  afterAll(() => visitor.leave());

  const visits = [DESKTOP, PHONE_AT_NIGHT].flatMap((look) => [...KINDS, ...MORE].map((path) => ({ ...look, path: path || "home", look })));
  it.each(visits)("$path is readable at $width pixels, dark: $dark", async ({ path, look }) => {
    await visitor.look(look);
    await visitor.open(path === "home" ? "" : path);
    expect(await visitor.overflow()).toBeLessThanOrEqual(0);
    expect(await visitor.page.evaluate(() => document.documentElement.classList.contains("dark"))).toBe(look.dark);
    if (KINDS.includes(path) || path === "home") expect(await visitor.inaccessible()).toEqual([]);
    expect(visitor.complaints).toEqual([]);
  });

  it("leads from its reports to the live page", async () => {
    await visitor.look(DESKTOP);
    await visitor.open("reports/conformance");
    const link = await visitor.page.$eval('.VPSidebar a[href$="/live/"]', (element) => (element as HTMLAnchorElement).pathname);
    expect(link).toBe(`${BASE}live/`);
    await visitor.load("live/");
    await visitor.page.waitForSelector("input[type=checkbox]");
    expect(await visitor.text("body")).toContain("cpu");
    expect(visitor.complaints).toEqual([]);
  });

  it("has sliders that the keyboard moves", async () => {
    await visitor.look(DESKTOP);
    await visitor.open("guide/");
    const before = await visitor.text(".figure-box figcaption");
    expect(before).toContain("y has mean 0.00 and deviation 1.00");
    expect(await visitor.tabTo(".figure-box input[type=range]")).toBe(true);
    for (let k = 0; k < 10; k++) await visitor.page.keyboard.press("ArrowLeft");
    // The moving mean is 2 and the data's 3: half a deviation too much.
    expect(await visitor.text(".figure-box figcaption")).toContain("y has mean 0.50 and deviation 1.00");
  });

  it("fine-tunes again when the reader chooses other batches", async () => {
    await visitor.open("guide/freezing");
    const ends = async (): Promise<number[]> =>
      [...(await visitor.text(".figure-box figcaption")).matchAll(/(\d+) %/g)].map(([, share]) => Number(share));
    const [start, frozen, notFrozen] = await ends();
    expect(start).toBeGreaterThan(80);
    expect(frozen).toBeGreaterThan(start);
    expect(notFrozen).toBeLessThan(start - 20);
    expect(await visitor.tabTo(".choice input[type=radio]")).toBe(true);
    await visitor.page.keyboard.press("ArrowRight");
    expect((await ends()).slice(1)).not.toEqual([frozen, notFrozen]);
  });

  describe("a look into a model", () => {
    const give = async (...files: string[]): Promise<void> => {
      const input = (await visitor.page.$("input[type=file]")) as ElementHandle<HTMLInputElement>;
      await input.uploadFile(...files.map((file) => `${ROOT}/packages/${file}`));
    };
    const press = (label: string): Promise<void> =>
      visitor.page.evaluate((wanted) => {
        const button = [...document.querySelectorAll<HTMLButtonElement>(".look button")].find(
          ({ textContent }) => textContent?.trim() === wanted,
        );
        if (button === undefined || button.disabled) throw new Error(`There is no button ${wanted} to press.`);
        button.click();
      }, label);

    it("shows, verifies and folds the example, reached by the keyboard", async () => {
      await visitor.look(DESKTOP);
      await visitor.open("look");
      expect(await visitor.tabTo(".drop button:nth-child(2)")).toBe(true);
      await visitor.page.keyboard.press("Enter");
      await visitor.page.waitForSelector(".look-details");
      expect(await visitor.text(".look")).toContain("5 batch normalizations");
      await press("Verify");
      await visitor.page.waitForSelector(".look > .verdict", { timeout: 60_000 });
      expect(await visitor.text(".look > .verdict")).toContain("All 5 layers that could be checked are right");
      await press("Fold");
      await visitor.page.waitForSelector(".folded");
      expect(await visitor.text(".folded")).toContain("4 folded, 1 kept.");
      expect(await visitor.inaccessible()).toEqual([]);
      expect(visitor.complaints).toEqual([]);
    });

    it("has a worker that may talk to this site only", async () => {
      const [worker] = visitor.page.workers();
      const refused = await worker.evaluate(
        () =>
          new Promise<string>((resolve) => {
            addEventListener("securitypolicyviolation", ({ effectiveDirective }) => resolve(effectiveDirective));
            fetch("http://127.0.0.1:9/").catch(() => setTimeout(resolve, 2000, "nothing"));
          }),
      );
      expect(refused).toBe("connect-src");
      // The browser has said so on the console, too.
      visitor.complaints.length = 0;
    });

    it.each([
      { files: ["weights/test/files/keras/functional.keras"], layers: 6 },
      {
        files: ["onnx-model/test/models/handmade/external-data.onnx", "onnx-model/test/models/handmade/external-data.onnx.data"],
        layers: 1,
      },
      {
        files: ["model.json", ...[1, 2, 3, 4].map((k) => `group1-shard${k}of4.bin`)].map(
          (file) => `weights/test/files/tfjs/layers/${file}`,
        ),
        layers: 6,
      },
    ])("reads $files.0", async ({ files, layers }) => {
      await visitor.open("look");
      await give(...files);
      await visitor.page.waitForSelector(".look-details");
      expect((await visitor.page.$$(".look-details")).length).toBe(layers);
      expect(visitor.complaints).toEqual([]);
    });

    it.each([
      { files: ["weights/test/files/pytorch/stem.pt"], code: "unsupported-format" },
      { files: ["weights/package.json"], code: "invalid-file" },
      { files: ["onnx-model/test/models/handmade/external-data.onnx"], code: "invalid-file" },
      { files: ["weights/test/files/tfjs/layers/model.json"], code: "invalid-file" },
    ])("says in one sentence what is wrong with $files.0", async ({ files, code }) => {
      await visitor.open("look");
      await give(...files);
      await visitor.page.waitForSelector(".refusal");
      expect(await visitor.text(".refusal a")).toBe(code);
      expect(await visitor.text(".refusal")).toMatch(/received .*, expected /);
      expect(visitor.complaints).toEqual([]);
    });
  });
});
