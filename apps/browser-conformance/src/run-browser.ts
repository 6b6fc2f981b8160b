import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { BackendResult, Report } from "@batchnorm/conformance";
import { readVectors, UsageError, VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import { SPEC_VERSION } from "@batchnorm/spec";
import { findChromium, launchChromium } from "./chromium.ts";
import { type BackendRun, type BackendRunOptions, runBackend } from "./run-backend.ts";
import { type Site, serve } from "./serve.ts";

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
  const chromium = findChromium();
  const config = resolve(options.config);
  if (!existsSync(config)) throw new UsageError(`${options.config} does not exist: name a config.`);
  const vectors = resolve(options.vectors ?? VECTORS_DIRECTORY);
  const { sha256, cases } = await readVectors(vectors);
  const site = await serve(config, vectors);
  try {
    const results = await runBackends(chromium, site, options);
    return { specVersion: SPEC_VERSION, vectors: { count: cases.length, sha256 }, results };
  } finally {
    await site.close();
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
  const browser = await launchChromium(chromium, options.headed);
  try {
    return await runBackend(browser, site.url, index, options);
  } finally {
    await browser.close();
  }
}
