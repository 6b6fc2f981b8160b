import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, defaultClientConditions, type InlineConfig, preview } from "vite";

/** Files on a port of this machine. */
export interface Site {
  /** Ends in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

export interface PageOptions {
  /** The path of the module that the page loads; the page has what it exports as `globalThis.module`. */
  readonly module: string;
  /** Modules that it imports by a name of its own, and their paths. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** A directory whose files are served as they are, beside the page. */
  readonly files?: string;
}

/** Builds a page that loads one module, packages of the workspace from their sources, and serves it on a free port. */
export async function servePage({ module, aliases = {}, files }: PageOptions): Promise<Site> {
  const root = await mkdtemp(join(tmpdir(), "in-browser-"));
  const remove = (): Promise<void> => rm(root, { recursive: true });
  try {
    await writeFile(join(root, "index.html"), PAGE);
    await writeFile(join(root, "entry.js"), `import * as module from ${JSON.stringify(module)};\nglobalThis.module = module;\n`);
    // A build and not the dev server: that reloads the page when it finds a dependency late, in the middle of a run.
    await build({
      ...SHARED,
      root,
      resolve: { alias: aliases, conditions: ["@batchnorm/source", ...defaultClientConditions] },
      publicDir: files ?? false,
      build: { outDir: "site", target: "esnext", minify: false, chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
    });
    const { url, close } = await serveDirectory(join(root, "site"));
    return { url, close: () => close().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Serves a directory on a free port.
 *
 * @param base the path below which it is served.
 */
export async function serveDirectory(directory: string, base: string = "/"): Promise<Site> {
  const server = await preview({
    ...SHARED,
    root: directory,
    base,
    build: { outDir: directory },
    preview: { host: "127.0.0.1", port: 0, headers: ISOLATION },
  });
  const { port } = server.httpServer.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${base}`, close: () => server.close() };
}

// What is not there is not found, and not the page once more.
const SHARED: InlineConfig = { configFile: false, logLevel: "error", appType: "mpa" };

/** What a browser asks for before it gives a page SharedArrayBuffer, and with it wasm its threads. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Batch normalization</title>
    <!-- Chromium asks for an icon, and logs an error when there is none. -->
    <link rel="icon" href="data:,">
    <script type="module" src="/entry.js"></script>
  </head>
</html>
`;
