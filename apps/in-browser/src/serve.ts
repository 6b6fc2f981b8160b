import { buildPage, type PageSource, type Served, serveDirectory as serveWithVite } from "@batchnorm/conformance/browser";
import * as vite from "vite";

export interface PageOptions extends Omit<PageSource, "entry"> {
  /** The path of the module that the page loads; the page has what it exports as `globalThis.module`. */
  readonly module: string;
}

/** Builds a page that loads one module, packages of the workspace from their sources, and serves it on a free port. */
export async function servePage({ module, ...others }: PageOptions): Promise<Served> {
  const entry = `import * as module from ${JSON.stringify(module)};\nglobalThis.module = module;\n`;
  const page = await buildPage(vite, { entry, ...others });
  return page.serve();
}

/**
 * Serves a directory on a free port.
 *
 * @param base the path below which it is served.
 */
export function serveDirectory(directory: string, base: string = "/"): Promise<Served> {
  return serveWithVite(vite, directory, { base });
}
