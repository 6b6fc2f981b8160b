import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An argument, and no import: it is an optional peer dependency of this package, loaded where a page is opened. */
export type Vite = typeof import("vite");

/** Files on a port of this machine. */
export interface Served {
  /** Ends in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeOptions {
  /** The path below which the files are; `/` unless told otherwise. */
  readonly base?: string;
  readonly plugins?: import("vite").Plugin[];
}

export interface PageSource {
  /** The module that the page loads, as its text. */
  readonly entry: string;
  /** Modules that are imported by a name of their own, and their paths. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** A directory whose files are served as they are, beside the page. */
  readonly files?: string | undefined;
}

export interface BuiltPage {
  /** Closing it removes the page, too. */
  serve(options?: ServeOptions): Promise<Served>;
}

/** Whether this package runs from its sources; then pages are built from the sources of all packages of the workspace. */
export const FROM_SOURCE: boolean = import.meta.url.endsWith(".ts");

/**
 * Builds a page that loads one module, in a folder of its own. A build and not vite's dev server: that reloads the page when it finds a
 * dependency late, in the middle of a run.
 *
 * @throws the error of vite, when a module cannot be bundled.
 */
export async function buildPage(vite: Vite, { entry, aliases = {}, files }: PageSource): Promise<BuiltPage> {
  const root = await mkdtemp(join(tmpdir(), "batchnorm-page-"));
  const remove = (): Promise<void> => rm(root, { recursive: true });
  const outDir = join(root, "site");
  await orElse(remove, async () => {
    await writeFile(join(root, "index.html"), PAGE);
    await writeFile(join(root, "entry.js"), entry);
    await vite.build({
      ...SHARED,
      root,
      resolve: { alias: aliases, conditions: [...(FROM_SOURCE ? ["@batchnorm/source"] : []), ...vite.defaultClientConditions] },
      publicDir: files ?? false,
      build: { outDir, target: "esnext", minify: false, chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
    });
  });
  return {
    async serve(options) {
      const { url, close } = await orElse(remove, () => serveDirectory(vite, outDir, options));
      return { url, close: () => close().then(remove) };
    },
  };
}

/** Serves a directory on a free port. */
export async function serveDirectory(vite: Vite, directory: string, { base = "/", plugins = [] }: ServeOptions = {}): Promise<Served> {
  const server = await vite.preview({
    ...SHARED,
    root: directory,
    base,
    plugins,
    build: { outDir: directory },
    preview: { host: "127.0.0.1", port: 0, headers: ISOLATION },
  });
  const { port } = server.httpServer.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${base}`, close: () => server.close() };
}

async function orElse<Value>(undo: () => Promise<void>, attempt: () => Promise<Value>): Promise<Value> {
  try {
    return await attempt();
  } catch (error) {
    await undo();
    throw error;
  }
}

// What is not there is not found, and not the page once more.
const SHARED = { configFile: false, logLevel: "error", appType: "mpa" } as const;

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
