import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { build, createServer } from "vitepress";
import { generate } from "./generate.ts";
import { LIVE, OUTPUT, SITE } from "./place.ts";

/**
 * Builds the whole site into `dist`: generated pages, VitePress, and below `/live/` the live page. The variable SITE_BASE is the path
 * below which it will be served, `/` unless told otherwise.
 */
export async function buildSite(): Promise<void> {
  await generate();
  await rm(OUTPUT, { recursive: true, force: true });
  await build(SITE, { outDir: OUTPUT });
  buildLive();
}

/** Builds the live page with a Vite of its own: VitePress has another version. */
function buildLive(): void {
  const base = `${process.env.SITE_BASE ?? "/"}live/`;
  execFileSync(
    process.execPath,
    [`${LIVE}/node_modules/vite/bin/vite.js`, "build", "--base", base, "--outDir", `${OUTPUT}/live`, "--emptyOutDir"],
    { cwd: LIVE, stdio: "inherit" },
  );
}

/** Serves the site while its pages are being written. */
export async function serveSite(): Promise<void> {
  await generate();
  const server = await createServer(SITE);
  await server.listen();
  server.printUrls();
}
