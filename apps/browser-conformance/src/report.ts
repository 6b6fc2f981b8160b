import { mkdir, writeFile } from "node:fs/promises";
import { DEFAULT_PROPERTIES, isGreen, markdown, type Report, runConformance, suiteChecks } from "@batchnorm/conformance";
import { clearProgress, loadConfig, openBackends, readVectors, showProgress } from "@batchnorm/conformance/node";
import { runMutants } from "@batchnorm/mutants";
import { CONFIG_FILE, TIMEOUT } from "./cli.ts";
import { runBrowser } from "./run-browser.ts";

const DIRECTORY = "reports";

/** Writes the support matrix of all backends, in Node and in Chromium, as one report: `reports/conformance.md`. */
const merged = merge(await runNode(), await runChromium());
clearProgress();
await mkdir(DIRECTORY, { recursive: true });
await writeFile(`${DIRECTORY}/conformance.md`, markdown(merged));
process.exitCode = isGreen(merged) ? 0 : 1;

async function runNode(): Promise<Report> {
  const config = await loadConfig(undefined);
  const vectors = await readVectors();
  const deviations = config.deviations ?? [];
  const report = await runConformance(await openBackends(config, []), { vectors, deviations, onProgress: showProgress });
  return { ...report, mutants: await runMutants(suiteChecks(vectors), showProgress) };
}

function runChromium(): Promise<Report> {
  return runBrowser({
    config: CONFIG_FILE,
    backends: [],
    only: null,
    properties: DEFAULT_PROPERTIES,
    timeout: TIMEOUT,
    headed: false,
    onProgress: showProgress,
  });
}

/** A backend may run in both: its name says where it did. */
function merge(node: Report, browser: Report): Report {
  const renamed = browser.results.map((result) => ({ ...result, backend: `${result.backend} (Chromium)` }));
  return { ...node, results: [...node.results, ...renamed] };
}
