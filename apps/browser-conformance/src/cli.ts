import { type PropertyOptions, suiteChecks } from "@batchnorm/conformance";
import {
  type CommandOptions,
  ProgressLine,
  readDeviations,
  readVectors,
  runCommand,
  selectionOf,
  suiteCommand,
  VECTORS_DIRECTORY,
  writeReport,
} from "@batchnorm/conformance/node";
import { runBrowser } from "./run-browser.ts";

/** The config of this repository's browser backends. */
export const CONFIG_FILE = "conformance.browser.config.ts";

/** Milliseconds that a check may take: so many that, with the graphics in software and on a busy machine, only one that hangs is ended. */
export const TIMEOUT = 120_000;

interface CliOptions extends CommandOptions {
  readonly headed: boolean;
}

/** The command line of the suite in Chromium. Returns the exit status, as the one in Node does: see `runCommand`. */
export function main(argv: readonly string[]): Promise<number> {
  const command = suiteCommand("conformance:browser", TIMEOUT)
    .description("Holds implementations of batch normalization, as they run in Chromium, against the spec and the golden vectors.")
    .argument("[config]", `module whose default export is a config; it is loaded in the page (default: ${CONFIG_FILE})`)
    .option("--headed", "show the browser", false);
  return runCommand(command, argv, run);
}

async function run(config: string = CONFIG_FILE, options: CliOptions): Promise<number> {
  const { seed, runs, timeout, headed, check, backend: backends, vectors: directory = VECTORS_DIRECTORY } = options;
  const properties: PropertyOptions = { seed, runs };
  const vectors = await readVectors(directory);
  const suite = suiteChecks(vectors, properties);
  const progress = new ProgressLine();
  const report = await runBrowser({
    ...selectionOf(options, suite),
    config,
    directory,
    vectors,
    backends,
    properties,
    timeout,
    headed,
    deviations: await readDeviations(options.deviations),
    outputs: check.length > 0,
    onProgress: progress.show,
  });
  progress.clear();
  return writeReport(report, options, suite);
}
