import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ConfigRunOptions, type Report, runConfig, UsageError } from "@batchnorm/conformance";
import { findBrowser } from "@batchnorm/conformance/browser";
import { type Served, servePage } from "@batchnorm/in-browser";
import { startPage } from "./start-page.ts";

export interface BrowserRunOptions extends ConfigRunOptions {
  /** The directory of the golden vectors, which the page fetches. */
  readonly directory: string;
  readonly headed: boolean;
}

/**
 * Runs the backends of a config in Chromium, and returns the report as `runConfig` does in Node.
 *
 * @throws UsageError when there is no Chromium, no config, or no backend of a wanted name in it.
 */
export async function runBrowser(options: BrowserRunOptions): Promise<Report> {
  // Where there is none, nothing is built.
  findBrowser("chromium");
  const site = await serve(options);
  try {
    return await runConfig(startPage({ url: site.url, headed: options.headed }), options);
  } finally {
    await site.close();
  }
}

async function serve({ config, directory }: BrowserRunOptions): Promise<Served> {
  if (!existsSync(config)) throw new UsageError(`${config} does not exist: name a config.`);
  const module = fileURLToPath(new URL("page.ts", import.meta.url));
  try {
    return await servePage({ module, aliases: { "virtual:conformance-config": resolve(config) }, files: resolve(directory) });
  } catch (error) {
    const [first, ...others] = (error as Error).message.split("\n");
    throw new UsageError(`${config} could not be built: ${first}`, others.length === 0 ? null : others.join("\n"));
  }
}
