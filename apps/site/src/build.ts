import { existsSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { build, createServer } from "vitepress";
import { generate } from "./generate.ts";
import { LIVE, OUTPUT, SITE } from "./place.ts";

/**
 * Builds the whole site into `dist`: generated pages, VitePress, and the live page where it has been built. The variable SITE_BASE is
 * the path below which it will be served, `/` unless told otherwise.
 */
export async function buildSite(): Promise<void> {
  await generate();
  await rm(OUTPUT, { recursive: true, force: true });
  await build(SITE, { outDir: OUTPUT });
  if (existsSync(LIVE)) await cp(LIVE, `${OUTPUT}/live`, { recursive: true });
}

/** Serves the site while its pages are being written. */
export async function serveSite(): Promise<void> {
  await generate();
  const server = await createServer(SITE);
  await server.listen();
  server.printUrls();
}
