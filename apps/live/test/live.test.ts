import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runConfig } from "@batchnorm/conformance";
import type { Matrix, RunCell } from "@batchnorm/conformance/matrix";
import { reduceResult } from "@batchnorm/conformance/matrix";
import { readVectors, startProcess, VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import { launchBrowser, noBrowser, type Served, serveDirectory } from "@batchnorm/in-browser";
import type { Browser } from "puppeteer-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Visitor } from "./visitor.ts";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
declare const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

/** Milliseconds for a quick run of the CPU backend on a busy machine. */
const LONG = 180_000;

const BROWSERS = (
  [
    { id: "chromium", name: "Chromium" },
    { id: "firefox", name: "Firefox" },
  ] as const
).map((each) => ({ ...each, missing: noBrowser(each.id) }));

/** All numbers of a cell, without times. */
function numbers({ result: { clauses, duration: _, ...result } }: RunCell): unknown {
  return { ...result, clauses: clauses.map(({ duration: _, ...clause }) => clause) };
}

const cellOf = ({ cells }: Matrix, backend: string) => cells.find((cell) => cell.backend === backend);

describe.skipIf(BROWSERS.every(({ missing }) => missing !== null))("the site", () => {
  // Below a path, as a part of another site is.
  const BASE = "/site/conformance/";
  const directory = mkdtempSync(join(tmpdir(), "live-test-"));
  let site: Served;
  /** What the command line gives for the same backend. */
  let expected: unknown;

  beforeAll(async () => {
    const root = path("..");
    await build({
      root,
      configFile: join(root, "vite.config.ts"),
      base: BASE,
      logLevel: "error",
      build: { outDir: directory, emptyOutDir: true },
    });
    site = await serveDirectory(directory, BASE);
    const start = startProcess({ config: path("cpu.config.ts"), vectors: VECTORS_DIRECTORY, print: () => {} });
    const { results } = await runConfig(start, { config: "cpu", vectors: await readVectors(), quick: true });
    expected = JSON.parse(JSON.stringify(reduceResult(results[0]), (key, value) => (key === "duration" ? undefined : value)));
  }, LONG);

  afterAll(async () => {
    await site?.close();
    rmSync(directory, { recursive: true });
  });

  describe.each(BROWSERS)("in $name", ({ id, name, missing }) => {
    if (missing !== null) {
      it.skip(`is not tested: ${missing}`, () => {});
      return;
    }
    let browser: Browser;
    let visitor: Visitor;
    beforeAll(async () => {
      browser = await launchBrowser(id);
      visitor = await Visitor.open(browser, site.url);
    }, LONG);
    afterAll(() => browser?.close());

    it("says which backends the browser cannot run, and why", async () => {
      const webgpu = "this browser has no WebGPU";
      const lacking = {
        "onnx/webgpu": webgpu,
        "onnx/webgpu on gpu-buffer": webgpu,
        "tfjs/webgpu": webgpu,
        "tfjs/webgl": expect.any(String),
      };
      expect(await visitor.lacking()).toEqual(id === "firefox" ? lacking : {});
    });

    it(
      "gives a cancelled run as one that was not run, and can be started again",
      async () => {
        await visitor.run("cpu");
        await visitor.progress(20, LONG);
        await visitor.cancel();
        const matrix = await visitor.result(5000);
        expect(cellOf(matrix, "cpu")).toMatchObject({ status: "not-run", reason: "the run was cancelled" });
        expect(matrix.runtimes).toMatchObject([{ id, name, status: "ran" }]);
      },
      LONG,
    );

    it(
      "gives the numbers that the command line gives, and shows them",
      async () => {
        await visitor.run("cpu", "Quick");
        await visitor.progress(1, LONG);
        const cell = cellOf(await visitor.result(LONG), "cpu") as RunCell;
        expect(JSON.parse(JSON.stringify(numbers(cell)))).toEqual(expected);
        expect(cell.result.passed).toBeGreaterThan(800);
        expect(await visitor.page.$eval(".answer", (answer) => answer.textContent)).toContain("cpu passes what was run");
        expect(await visitor.page.$eval("a[aria-current]", (link) => link.textContent)).toBe(`◐ ${cell.result.passed} passed`);
      },
      LONG,
    );

    it("has no error, asks its own site only, and has no fault that keeps people from using it", async () => {
      expect(visitor.errors).toEqual([]);
      const { origin } = new URL(site.url);
      expect(visitor.requests.length).toBeGreaterThan(2);
      expect(visitor.requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(origin + BASE))).toEqual([]);
      await visitor.page.evaluate(AXE);
      const { violations } = await visitor.page.evaluate(() => axe.run());
      expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
    }, 30_000);

    if (id === "chromium") {
      it(
        "ends the backend whose WebGPU device is lost, and not the page",
        async () => {
          const other = await Visitor.open(browser, site.url);
          // Tfjs has one device from first to last; onnxruntime may have none at a given moment.
          await other.run("tfjs/webgpu", "Quick");
          await other.progress(10, LONG);
          const session = await browser.target().createCDPSession();
          // Not waited for: the answer may be lost with the process.
          session.send("Browser.crashGpuProcess").catch(() => {});
          const matrix = await other.result(LONG);
          const { result } = cellOf(matrix, "tfjs/webgpu") as RunCell;
          // It is the failure of the check that ran, or a problem of the run where it came between two checks.
          const said = [...result.problems, ...result.cases.flatMap(({ failures }) => failures.map(({ message }) => message))];
          expect(said).toEqual([expect.stringMatching(/the WebGPU device was lost/i)]);
          expect(result.passed).toBeGreaterThan(0);
          expect(result.notRun).toBeGreaterThan(500);
          await other.run("cpu", "Quick");
          await other.progress(1, LONG);
          expect(cellOf(await other.result(LONG), "cpu")).toMatchObject({ status: "ran", result: { failed: 0, notRun: 0 } });
        },
        LONG,
      );
    }
  });
});
