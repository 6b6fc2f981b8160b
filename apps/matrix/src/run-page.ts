import { startPage } from "@batchnorm/browser-conformance/start-page";
import { type Report, runConfig } from "@batchnorm/conformance";
import { readVectors } from "@batchnorm/conformance/node";
import { launchChromium, launchFirefox, type Site, servePage } from "@batchnorm/in-browser";
import type { FoundRuntime } from "./find-runtime.ts";
import type { Packed } from "./packed.ts";
import type { Task } from "./plan.ts";

/** Milliseconds for a check: with the graphics in software and on a busy machine, only one that hangs takes so long. */
const TIMEOUT = 120_000;

/** Builds the page that runs any of the backends, of the installed packages, and serves it. */
export function servePacked({ page, vectors }: Packed): Promise<Site> {
  return servePage({ ...page, files: vectors });
}

/** Runs one backend in a page, in a browser of its own. */
export async function runInPage(
  { runtime, backend, quick }: Task,
  { program }: FoundRuntime,
  { url }: Site,
  packed: Packed,
): Promise<Report> {
  const launch = () => (runtime.kind === "firefox" ? launchFirefox(program) : launchChromium(program));
  const start = startPage({ launch, url: `${url}#${encodeURIComponent(backend)}` });
  return runConfig(start, { vectors: await readVectors(packed.vectors), config: backend, timeout: TIMEOUT, quick });
}
