import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isGreen, markdown, type Report, runConfig, suiteChecks } from "@batchnorm/conformance";
import { ProgressLine, readVectors, startProcess, VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import { runMutants } from "@batchnorm/mutants";
import { CONFIG_FILE, TIMEOUT } from "./cli.ts";
import { runBrowser } from "./run-browser.ts";

const DIRECTORY = "reports";
const NODE_CONFIG = "conformance.config.ts";

/** Writes the support matrix of all backends, in Node and in Chromium, as one report: `reports/conformance.md`. */
const vectors = await readVectors();
const progress = new ProgressLine();
const shared = { vectors, onProgress: progress.show };
const start = startProcess({ config: resolve(NODE_CONFIG), vectors: VECTORS_DIRECTORY, print: progress.print });
const node = await runConfig(start, { ...shared, config: NODE_CONFIG });
const browser = await runBrowser({ ...shared, config: CONFIG_FILE, directory: VECTORS_DIRECTORY, timeout: TIMEOUT, headed: false });
const merged = { ...merge(node, browser), mutants: await runMutants(suiteChecks(vectors), progress.show) };
progress.clear();
await mkdir(DIRECTORY, { recursive: true });
await writeFile(`${DIRECTORY}/conformance.md`, markdown(merged));
process.exitCode = isGreen(merged) ? 0 : 1;

/** A backend may run in both: its name says where it did. */
function merge(node: Report, browser: Report): Report {
  const renamed = browser.results.map((result) => ({ ...result, backend: `${result.backend} (Chromium)` }));
  return { ...node, results: [...node.results, ...renamed], problems: [...node.problems, ...browser.problems] };
}
