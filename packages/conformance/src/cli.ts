import { readFile } from "node:fs/promises";
import {
  type CommandOptions,
  checkClause,
  clearProgress,
  runCommand,
  showProgress,
  suiteCommand,
  UsageError,
  writeReport,
} from "./command.ts";
import { isDeviations } from "./config.ts";
import { loadConfig, openBackends } from "./load-config.ts";
import type { Deviation } from "./run.ts";
import { runConformance } from "./suite.ts";
import type { Vectors } from "./vectors/load.ts";
import { readVectors } from "./vectors/read.ts";

interface CliOptions extends CommandOptions {
  readonly deviations?: string;
}

/**
 * The command line. Returns the exit status: 0 when everything conforms, 1 when something does not, 2 for a wrong use.
 */
export function main(argv: readonly string[]): Promise<number> {
  const command = suiteCommand("batchnorm-conformance")
    .description("Holds implementations of batch normalization against the spec and the golden vectors that the real Keras made.")
    .argument("[adapter-or-config]", "module whose default export is a config, a backend, or a function that makes one", undefined)
    .option("--deviations <file>", "JSON list of { backend?, id, reason }: checks that are known to fail");
  return runCommand(command, argv, run);
}

async function run(file: string | undefined, options: CliOptions): Promise<number> {
  const { only, seed, runs } = options;
  checkClause(only);
  const config = await loadConfig(file);
  const backends = await openBackends(config, options.backend);
  const listed = options.deviations === undefined ? [] : await readDeviations(options.deviations);
  const report = await runConformance(backends, {
    vectors: await openVectors(options.vectors),
    deviations: [...(config.deviations ?? []), ...listed],
    only: only ?? null,
    properties: { seed, runs },
    onProgress: showProgress,
  });
  clearProgress();
  if (report.results.every(({ cases }) => cases.length === 0)) {
    throw new UsageError(`--only ${only}: no check of the suite is about this part of docs/spec.md, expected one that backends can fail.`);
  }
  return writeReport(report, options);
}

async function readDeviations(file: string): Promise<readonly Deviation[]> {
  let list: unknown;
  try {
    list = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--deviations ${file} could not be read: ${(error as Error).message}`);
  }
  if (!isDeviations(list)) throw new UsageError(`--deviations ${file} is no list of { id, reason, backend? }, each with text in it.`);
  return list;
}

async function openVectors(directory: string | undefined): Promise<Vectors> {
  try {
    return await readVectors(directory);
  } catch (error) {
    if (directory === undefined) throw error;
    throw new UsageError(`--vectors ${directory} could not be read: ${(error as Error).message}`);
  }
}
