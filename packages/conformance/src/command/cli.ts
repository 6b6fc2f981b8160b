import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../config.ts";
import { messageOf } from "../isolated/inside.ts";
import { runConfig } from "../isolated/run-config.ts";
import { suiteChecks } from "../suite.ts";
import type { Vectors } from "../vectors/load.ts";
import { readVectors, VECTORS_DIRECTORY } from "../vectors/read.ts";
import { type CommandOptions, selectionOf, suiteCommand } from "./options.ts";
import { addPageCommand } from "./page-command.ts";
import { startProcess } from "./process.ts";
import { ProgressLine } from "./progress.ts";
import { readDeviations } from "./read-deviations.ts";
import { runCommand } from "./run-command.ts";
import { writeReport } from "./write-report.ts";

const CONFIG_FILES = ["conformance.config.ts", "conformance.config.js", "conformance.config.mjs"];

const EXAMPLES = `
Examples:
  batchnorm-conformance my-adapter.mjs                      everything
  batchnorm-conformance my-adapter.mjs --quick              the checks that take no time
  batchnorm-conformance --backend mine --only 7             of conformance.config.ts, section 7 of the spec
  batchnorm-conformance my-adapter.ts --check contract/version
  batchnorm-conformance --reporter junit --out report.xml
  batchnorm-conformance page old.json new.json --out changes.html

Each backend runs in a process of its own. What it prints goes to stderr.

Exit codes:
  0  everything that was asked for conforms
  1  something does not, or could not be run
  2  a wrong use: an unknown option, a module that cannot be loaded`;

/** The command line. Returns the exit status: see `runCommand`. */
export function main(argv: readonly string[]): Promise<number> {
  const command = suiteCommand("batchnorm-conformance")
    .description("Holds implementations of batch normalization against the spec and the golden vectors that the real Keras made.")
    .argument(
      "[adapter-or-config]",
      `module whose default export is a config, a backend, or a function that makes one (default: ${CONFIG_FILES[0]})`,
    )
    .addHelpText("after", EXAMPLES);
  addPageCommand(command);
  return runCommand(command, argv, run);
}

async function run(file: string | undefined, options: CommandOptions): Promise<number> {
  const config = findConfig(file);
  const directory = resolve(options.vectors ?? VECTORS_DIRECTORY);
  const vectors = await openVectors(options.vectors, directory);
  const { backend: backends, seed, runs, timeout, check } = options;
  const properties = { seed, runs };
  const suite = suiteChecks(vectors, properties);
  const selection = selectionOf(options, suite);
  const progress = new ProgressLine();
  const report = await runConfig(startProcess({ config: resolve(config), vectors: directory, print: progress.print }), {
    ...selection,
    config,
    backends,
    vectors,
    properties,
    timeout,
    deviations: await readDeviations(options.deviations),
    outputs: check.length > 0,
    onProgress: progress.show,
  });
  progress.clear();
  return writeReport(report, options, suite);
}

/** @throws UsageError when there is no such file, or none was named and the directory has none. */
function findConfig(file: string | undefined): string {
  const name = file ?? CONFIG_FILES.find((each) => existsSync(each));
  if (name === undefined) throw new UsageError(`There is no ${CONFIG_FILES[0]} here: name a config or an adapter module.`);
  if (!existsSync(name)) throw new UsageError(`${name} does not exist: name a config or an adapter module.`);
  return name;
}

async function openVectors(named: string | undefined, directory: string): Promise<Vectors> {
  try {
    return await readVectors(directory);
  } catch (error) {
    if (named === undefined) throw error;
    throw new UsageError(`--vectors ${named} could not be read: ${messageOf(error)}`);
  }
}
