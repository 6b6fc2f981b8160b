import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { launch, type Page } from "puppeteer-core";
import { build, defaultClientConditions, preview } from "vite";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** WebGL and WebGPU in software. */
const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--disable-background-networking",
];

/** The Chromium of the environment variable CHROMIUM, or the first on the PATH; null where there is none. */
export function findChromium(): string | null {
  const { CHROMIUM, PATH = "" } = process.env;
  const candidates = CHROMIUM ? [CHROMIUM] : PATH.split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return candidates.find(isExecutable) ?? null;
}

/**
 * Builds a page that loads one module as `globalThis.module`, packages of the workspace from their sources, and opens it in
 * headless Chromium.
 */
export async function openPage(chromium: string, module: URL): Promise<{ page: Page; close: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "tfjs-page-"));
  await writeFile(
    join(root, "index.html"),
    `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/entry.js"></script>`,
  );
  await writeFile(join(root, "entry.js"), `import * as module from ${JSON.stringify(module.pathname)}; globalThis.module = module;`);
  const shared = { configFile: false as const, root, logLevel: "error" as const };
  await build({
    ...shared,
    resolve: { conditions: ["@batchnorm/source", ...defaultClientConditions] },
    build: { outDir: "site", target: "esnext", minify: false, chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
  });
  const server = await preview({ ...shared, build: { outDir: "site" }, preview: { host: "127.0.0.1", port: 0 } });
  const browser = await launch({ executablePath: chromium, args: FLAGS, protocolTimeout: 0 });
  const page = await browser.newPage();
  const { port } = server.httpServer.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
    await rm(root, { recursive: true });
  };
  return { page, close };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
