import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { BROWSERS } from "../browser/find-browser.ts";
import { UsageError } from "../config.ts";
import { messageOf } from "../isolated/inside.ts";
import { runConfig } from "../isolated/run-config.ts";
import { suiteChecks } from "../suite.ts";
import type { Vectors } from "../vectors/load.ts";
import { readVectors, VECTORS_DIRECTORY } from "../vectors/read.ts";
import { openAdapter } from "./adapter.ts";
import { type CommandOptions, selectionOf, suiteCommand } from "./options.ts";
import { addPageCommand } from "./page-command.ts";
import { ProgressLine } from "./progress.ts";
import { readDeviations } from "./read-deviations.ts";
import { runCommand } from "./run-command.ts";
import { browserRuntime, thisRuntime } from "./this-runtime.ts";
import { writeReport } from "./write-report.ts";

const EXAMPLES = `
Examples:
  batchnorm-conformance my-adapter.mjs                      everything
  batchnorm-conformance my-adapter.mjs --quick              the checks that take no time
  batchnorm-conformance my-adapter.mjs --browser firefox    in a browser
  batchnorm-conformance --exec "python adapter.py"          an adapter in another language
  batchnorm-conformance --backend mine --only 7             of conformance.config.ts, section 7 of the spec
  batchnorm-conformance my-adapter.ts --check contract/version
  batchnorm-conformance my-adapter.mjs --reporter junit --out report.xml
  batchnorm-conformance page old.json new.json --out changes.html

Each backend runs in a process of its own. What it prints goes to stderr.

Exit codes:
  0  everything that was asked for conforms
  1  something does not, or could not be run
  2  a wrong use: an unknown option, a module that cannot be loaded`;

/** The command line. Returns the exit status: see `runCommand`. */
export function main(argv: readonly string[]): Promise<number> {
  return runCommand(command(), argv, run);
}

/** What it is told with. */
export function command(): Command {
  const command = suiteCommand("batchnorm-conformance")
    .description("Holds implementations of batch normalization against the spec and the golden vectors that the real Keras made.")
    .argument(
      "[adapter-or-config]",
      "module whose default export is a config, a backend, or a function that makes one (default: conformance.config.ts)",
    )
    .option("--exec <command>", "an adapter in another language: a program that speaks docs/exec-protocol.md")
    .addOption(new Option("--browser <name>", "run the adapter in a page; needs vite, and the browser").choices(BROWSERS))
    .option("--headed", "show the browser, with the graphics of this machine")
    .addHelpText("after", EXAMPLES);
  addPageCommand(command);
  return command;
}

async function run(file: string | undefined, options: CommandOptions): Promise<number> {
  const directory = resolve(options.vectors ?? VECTORS_DIRECTORY);
  const vectors = await openVectors(options.vectors, directory);
  const { backend: backends, seed, runs, timeout, check } = options;
  const properties = { seed, runs };
  const suite = suiteChecks(vectors, properties);
  const selection = selectionOf(options, suite);
  const deviations = await readDeviations(options.deviations);
  const progress = new ProgressLine();
  const adapter = await openAdapter(file, { ...options, vectors: directory, print: progress.print });
  try {
    const report = await runConfig(adapter.start, {
      ...selection,
      config: adapter.name,
      backends,
      vectors,
      properties,
      timeout,
      deviations,
      outputs: check.length > 0,
      onProgress: progress.show,
    });
    progress.clear();
    return await writeReport(report, options, suite, options.browser === undefined ? thisRuntime() : browserRuntime(options.browser));
  } finally {
    await adapter.close();
  }
}

async function openVectors(named: string | undefined, directory: string): Promise<Vectors> {
  try {
    return await readVectors(directory);
  } catch (error) {
    if (named === undefined) throw error;
    throw new UsageError(`--vectors ${named} could not be read: ${messageOf(error)}`);
  }
}
