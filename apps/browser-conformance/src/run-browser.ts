import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendResult, Report } from "@batchnorm/conformance";
import { readVectors, UsageError, VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import { findChromium, launchChromium, type Site, servePage } from "@batchnorm/in-browser";
import { SPEC_VERSION } from "@batchnorm/spec";
import { type BackendRun, type BackendRunOptions, runBackend } from "./run-backend.ts";

export interface BrowserRunOptions extends BackendRunOptions {
  /** The config that is loaded in the page. */
  readonly config: string;
  /** Default: the vectors of the conformance package. */
  readonly vectors?: string;
  readonly headed: boolean;
}

/**
 * Runs the suite in Chromium, and returns the report as `runConformance` does in Node.
 *
 * @throws UsageError when there is no Chromium, no config, or no backend of a wanted name in it.
 */
export async function runBrowser(options: BrowserRunOptions): Promise<Report> {
  const chromium = chromiumToUse();
  const config = resolve(options.config);
  if (!existsSync(config)) throw new UsageError(`${options.config} does not exist: name a config.`);
  const vectors = resolve(options.vectors ?? VECTORS_DIRECTORY);
  const { sha256, cases } = await readVectors(vectors);
  const page = fileURLToPath(new URL("page.ts", import.meta.url));
  const site = await servePage({ module: page, aliases: { "virtual:conformance-config": config }, files: vectors });
  try {
    const results = await runBackends(chromium, site, options);
    return { specVersion: SPEC_VERSION, vectors: { count: cases.length, sha256 }, results };
  } finally {
    await site.close();
  }
}

/** @throws UsageError when there is none. */
function chromiumToUse(): string {
  try {
    return findChromium();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Runs the backends one after another, until there is none left or all that are wanted are done. */
async function runBackends(chromium: string, site: Site, options: BrowserRunOptions): Promise<BackendResult[]> {
  const { backends: wanted, config } = options;
  const runs: BackendRun[] = [];
  const missing = (): string | undefined => wanted.find((each) => !runs.some(({ name }) => name === each));
  let count = 1;
  while (runs.length < count && (wanted.length === 0 || missing() !== undefined)) {
    const run = await runInBrowser(chromium, site, runs.length, options);
    runs.push(run);
    count = run.count ?? count;
  }
  const unknown = missing();
  const named = runs.filter(({ name }) => name !== null);
  if (unknown !== undefined && named.length === runs.length) {
    throw new UsageError(`--backend ${unknown}: not in ${config}, expected one of ${named.map(({ name }) => name).join(", ")}.`);
  }
  // A backend that could not be made has no name. It may be a wanted one, unless those have all been found.
  const shown = unknown === undefined && wanted.length > 0 ? named : runs;
  return shown.flatMap(({ result }) => result ?? []);
}

/** A browser for each, and not only a page: a graphics process that was lost in one run would be lost in the next, too. */
async function runInBrowser(chromium: string, site: Site, index: number, options: BrowserRunOptions): Promise<BackendRun> {
  const browser = await launchChromium(chromium, options);
  try {
    return await runBackend(browser, site.url, index, options);
  } finally {
    await browser.close();
  }
}
