import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, defaultClientConditions, type InlineConfig, type Plugin, preview } from "vite";

/** The page, built and served. */
export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Builds the page with one config, packages of the workspace from their sources, and serves it on a free port.
 *
 * @param config the path of the config module that is loaded in the page.
 * @param vectors the directory of the golden vectors, which are served as they are, at the root.
 */
export async function serve(config: string, vectors: string): Promise<Site> {
  const outDir = await mkdtemp(join(tmpdir(), "browser-conformance-"));
  const remove = (): Promise<void> => rm(outDir, { recursive: true });
  const shared: InlineConfig = { configFile: false, root: fileURLToPath(new URL("..", import.meta.url)), logLevel: "error" };
  try {
    // A build and not the dev server: that reloads the page when it finds a dependency late, in the middle of a run.
    await build({
      ...shared,
      plugins: [configModule(config)],
      resolve: { conditions: ["@batchnorm/source", ...defaultClientConditions] },
      publicDir: vectors,
      build: { outDir, emptyOutDir: true, target: "esnext", minify: false, chunkSizeWarningLimit: Number.POSITIVE_INFINITY },
    });
    const server = await preview({ ...shared, build: { outDir }, preview: { host: "127.0.0.1", port: 0, headers: ISOLATION } });
    const { port } = server.httpServer.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/`, close: () => server.close().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What a browser asks for before it gives a page SharedArrayBuffer, and with it wasm its threads. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

function configModule(config: string): Plugin {
  return { name: "conformance-config", resolveId: (id) => (id === "virtual:conformance-config" ? config : null) };
}
