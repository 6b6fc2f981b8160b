import {
  type CommandOptions,
  checkClause,
  clearProgress,
  runCommand,
  showProgress,
  suiteCommand,
  UsageError,
  writeReport,
} from "@batchnorm/conformance/node";
import { runBrowser } from "./run-browser.ts";

/** The config of this repository's browser backends. */
export const CONFIG_FILE = "conformance.browser.config.ts";

/** How many seconds a check may take: so many that, on a busy machine too, only one that hangs is ended. */
export const TIMEOUT = 120;

interface CliOptions extends CommandOptions {
  readonly headed: boolean;
  readonly timeout: string;
}

/** The command line of the suite in Chromium. Returns the exit status, as the one in Node does: see `runCommand`. */
export function main(argv: readonly string[]): Promise<number> {
  const command = suiteCommand("conformance:browser")
    .description("Holds implementations of batch normalization, as they run in Chromium, against the spec and the golden vectors.")
    .argument("[config]", "module whose default export is a config; it is loaded in the page", CONFIG_FILE)
    .option("--headed", "show the browser", false)
    .option("--timeout <seconds>", "how long one check may take", String(TIMEOUT));
  return runCommand(command, argv, run);
}

async function run(config: string | undefined, options: CliOptions): Promise<number> {
  const { only, seed, runs, vectors, headed } = options;
  checkClause(only);
  const timeout = Number(options.timeout);
  if (!(timeout > 0)) throw new UsageError(`--timeout ${options.timeout}: expected a number of seconds.`);
  const report = await runBrowser({
    config: config ?? CONFIG_FILE,
    ...(vectors !== undefined && { vectors }),
    backends: options.backend,
    only: only ?? null,
    properties: { seed, runs },
    timeout,
    headed,
    onProgress: showProgress,
  });
  clearProgress();
  return writeReport(report, options);
}
