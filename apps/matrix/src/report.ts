import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isGreen, markdown, suiteChecks } from "@batchnorm/conformance";
import { ProgressLine, readVectors } from "@batchnorm/conformance/node";
import { runMutants } from "@batchnorm/mutants";
import { main } from "./cli.ts";
import { mergeReports } from "./full-reports.ts";

const FILE = "reports/conformance.md";
const RUNTIMES = ["node-24", "chromium"];

/**
 * `pnpm report [--from <directory>]`: all backends, in Node and in Chromium, clause by clause, and all mutants, in one page,
 * `reports/conformance.md`. It runs that part of the matrix, or takes what `conformance:all --full <directory>` has kept.
 */
const { from } = parseArgs({ options: { from: { type: "string" } } }).values;
const directory = from ?? (await mkdtemp(join(tmpdir(), "report-")));
if (from === undefined) await main([...RUNTIMES.flatMap((id) => ["--runtime", id]), "--full", directory]);
const merged = await mergeReports(directory, RUNTIMES);
if (from === undefined) await rm(directory, { recursive: true });
const progress = new ProgressLine();
const report = { ...merged, mutants: await runMutants(suiteChecks(await readVectors()), progress.show) };
progress.clear();
await writeFile(FILE, markdown(report));
process.exitCode = isGreen(report) ? 0 : 1;
