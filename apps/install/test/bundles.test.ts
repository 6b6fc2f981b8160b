import { mkdir, readdir, stat } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { launchBrowser, noBrowser, withBrowser } from "@batchnorm/in-browser";
import { ROOT } from "@batchnorm/packing";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readmeExample } from "../../../scripts/readme-example.ts";
import { BUNDLERS, type Bundler, copyOnnxRuntime } from "../src/bundlers.ts";
import { serveWith } from "../src/policy-server.ts";
import { Project } from "../src/project.ts";
import { examplesOf } from "../src/readme.ts";
import { ALL } from "../src/runtimes.ts";

/** What a page leaves behind. */
interface Seen {
  /** The numbers with a point that it printed. */
  readonly numbers: readonly number[];
  /** What it found out about its backend. */
  readonly found: unknown;
  readonly errors: readonly string[];
}

declare global {
  var printed: string[];
  var found: unknown;
  var finished: true | undefined;
}

/** Keeps what the page prints, numbers of typed arrays in full. */
const PRELUDE = `
globalThis.printed = [];
const text = (value) => typeof value === "object" ? JSON.stringify(value, (_, each) => ArrayBuffer.isView(each) ? Array.from(each) : each) : String(value);
console.log = (...values) => printed.push(values.map(text).join(" "));
`;

/** The program of the README, with the one line changed, as a module of a page. */
function page(entry: string, more = ""): string {
  const program = stripTypeScriptTypes(readmeExample(join(ROOT, "README.md"))).replace('"@batchnorm/backend-cpu"', `"${entry}"`);
  expect(program).toContain(`import { createBackend } from "${entry}"`);
  return `import "./prelude.js";\n${program}\n${more}\nglobalThis.finished = true;\n`;
}

/** What the README's program prints: y in inference, y in training, and the statistics twice, since a frozen layer leaves them. */
const STATISTICS = [10.04, 3.98667, 8.97];
const NUMBERS = [1.49981, 0.50003, 2.99962, 1.49997, 4.49944, -1.83677, 0.38768, 1.61232, 1.83677, ...STATISTICS, ...STATISTICS];

/** Whether the numbers are there, in order; a float32 sum may give 1.0000001 where another gives 1. */
function expectNumbers(numbers: readonly number[]): void {
  const found = numbers.filter((number) => Math.abs(number - Math.round(number)) > 1e-5);
  expect(found.map((number) => number.toFixed(4))).toEqual(NUMBERS.map((number) => number.toFixed(4)));
}

/** Two threads on a tensor in the kernels' memory, against one. */
const THREADS = `
const threaded = createBackend({ threads: 2 });
const threads = await threaded.ready;
const large = threaded.alloc([2 ** 15, 32]);
large.data.forEach((_, k) => { large.data[k] = Math.sin(k); });
const [a, b] = [threaded, backend].map((each) => each.create({}, 32).call(large, { training: true }).data);
globalThis.found = { kernels: backend.kernels, threads, same: a.every((value, k) => value === b[k]) };
threaded.terminate();
`;

const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "bundled, in Chromium"), () => {
  let project: Project;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;

  beforeAll(async () => {
    project = await Project.create("pnpm", inject("registry"));
    const names = ["backend-cpu", "backend-onnx", "backend-tfjs"].map((name) => `@batchnorm/${name}`);
    await project.install(...names, "onnxruntime-web", "@tensorflow/tfjs");
    await project.write("prelude.js", PRELUDE);
    browser = await launchBrowser("chromium");
  });
  afterAll(async () => {
    await browser?.close();
    await project?.remove();
  });

  /** Bundles a module. Returns the folder of the site. */
  async function bundle({ name, bundle }: Bundler, module: string, source: string): Promise<string> {
    const site = join(project.folder, "sites", name, module);
    await mkdir(site, { recursive: true });
    await project.write(module, source);
    await bundle(module, project.folder, site);
    return site;
  }

  async function visit(site: string, headers: Readonly<Record<string, string>>): Promise<Seen> {
    const { url, close } = await serveWith(site, headers);
    const tab = await browser.newPage();
    const errors: string[] = [];
    tab.on("pageerror", (error) => errors.push(String(error)));
    tab.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    try {
      await tab.goto(url);
      await tab.waitForFunction(() => globalThis.finished, { timeout: 60_000 }).catch((error) => errors.push(String(error)));
      const { printed, found } = await tab.evaluate(() => ({ printed: globalThis.printed, found: globalThis.found ?? null }));
      return { numbers: [...printed.join("\n").matchAll(/-?\d+\.\d+/g)].map(([number]) => Number(number)), found, errors };
    } finally {
      await tab.close();
      await close();
    }
  }

  describe.each(BUNDLERS)("by $name", (bundler) => {
    describe("the CPU backend", () => {
      let site: string;
      beforeAll(async () => {
        site = await bundle(bundler, "cpu.js", page("@batchnorm/backend-cpu", THREADS));
      });

      it("runs the README's program, in WebAssembly and with threads", async () => {
        const { numbers, found, errors } = await visit(site, ISOLATED);
        expect(errors).toEqual([]);
        expectNumbers(numbers);
        expect(found).toEqual({ kernels: "wasm", threads: 2, same: true });
      });

      it("runs it under the Content-Security-Policy that its README gives", async () => {
        const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; img-src data:";
        const { numbers, found, errors } = await visit(site, { ...ISOLATED, "content-security-policy": policy });
        expect(errors).toEqual([]);
        expectNumbers(numbers);
        expect(found).toEqual({ kernels: "wasm", threads: 2, same: true });
      });

      it("runs it in plain code under a policy that allows neither WebAssembly nor workers", async () => {
        const { numbers, found } = await visit(site, { ...ISOLATED, "content-security-policy": "default-src 'self'" });
        expectNumbers(numbers);
        expect(found).toEqual({ kernels: "plain", threads: 1, same: true });
      });

      it("runs it on one thread in a page that is not isolated", async () => {
        const { numbers, found, errors } = await visit(site, {});
        expect(errors).toEqual([]);
        expectNumbers(numbers);
        expect(found).toEqual({ kernels: "wasm", threads: 1, same: true });
      });
    });

    it("backend-onnx/custom brings no wasm and no runtime", async () => {
      const site = await bundle(
        bundler,
        "convert.js",
        'import { fromOnnx, toOnnx } from "@batchnorm/backend-onnx/custom"; console.log(fromOnnx, toOnnx);',
      );
      const files = await readdir(site, { recursive: true, withFileTypes: true });
      const sizes = await Promise.all(files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name))));
      expect(files.filter(({ name }) => name.endsWith(".wasm"))).toEqual([]);
      expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(400_000);
    });

    const knowsUrls = bundler.name === "Vite" || bundler.name === "webpack";
    const few = ALL || bundler.name === "Vite" || bundler.name === "esbuild";

    it.runIf(few)("the onnx backend runs the README's program", async () => {
      const site = await bundle(bundler, "onnx.js", page("@batchnorm/backend-onnx"));
      if (!knowsUrls) await copyOnnxRuntime(project.folder, site, ["ort-wasm-simd-threaded.jsep.mjs", "ort-wasm-simd-threaded.jsep.wasm"]);
      const { numbers, errors } = await visit(site, {});
      expect(errors).toEqual([]);
      expectNumbers(numbers);
    });

    it.runIf(few)("the onnx backend starts with the runtime of its README's third example", async () => {
      const source = `import "./prelude.js";\n${examplesOf("backend-onnx")[2].source}\nglobalThis.found = backend.name; globalThis.finished = true;`;
      const site = await bundle(bundler, "custom.js", stripTypeScriptTypes(source));
      if (!knowsUrls) await copyOnnxRuntime(project.folder, site, ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]);
      expect(await visit(site, {})).toMatchObject({ errors: [], found: "onnx/wasm" });
    });

    it.runIf(few)("the tfjs backend runs the README's program", async () => {
      const site = await bundle(bundler, "tfjs.js", page("@batchnorm/backend-tfjs/auto"));
      const { numbers, errors } = await visit(site, {});
      expect(errors).toEqual([]);
      expectNumbers(numbers);
    });
  });
});
