import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { BrowserName } from "../browser/find-browser.ts";
import type { Check } from "../checks/check.ts";
import { CLAUSES } from "../clauses.generated.ts";
import { UsageError } from "../config.ts";
import { clauseMatches, type Selection, select } from "../selection.ts";
import { DEFAULT_PROPERTIES } from "../suite.ts";
import { VERSION } from "../version.ts";
import { DEFAULT_TIMEOUT } from "../waiting.ts";
import { REPORTERS, type ReportFile, type ReportOptions } from "./write-report.ts";

/** What every command that runs the suite can be told, whether in Node or in a browser. */
export interface CommandOptions extends ReportOptions {
  readonly backend: readonly string[];
  readonly only?: string;
  readonly quick?: boolean;
  readonly timeout: number;
  readonly deviations?: string;
  readonly seed: number;
  readonly runs: number;
  readonly vectors?: string;
  /** The command line of an adapter in another language. */
  readonly exec?: string;
  readonly browser?: BrowserName;
  readonly headed?: boolean;
}

/**
 * A command with the options of `CommandOptions`, to which each program adds its own.
 *
 * @param timeout the milliseconds that a check may take unless one asks for others.
 */
export function suiteCommand(name: string, timeout: number = DEFAULT_TIMEOUT): Command {
  return new Command(name)
    .enablePositionalOptions()
    .addOption(new Option("--backend <name>", "only this backend of the config; may be repeated").argParser(repeated).default([], "all"))
    .option("--only <clause>", "only this clause, such as 6.1, or section, such as 6")
    .addOption(
      new Option("--check <id>", "only this check, with its case and what was given; may be repeated")
        .argParser(repeated)
        .default([], "all"),
    )
    .option("--quick", "without the slow checks")
    .addOption(new Option("--timeout <seconds>", "how long one check may take").argParser(seconds).default(timeout, String(timeout / 1000)))
    .option("--deviations <file>", "JSON list of failures that are known, and why")
    .addOption(new Option("--reporter <name>", "how to report").choices(Object.keys(REPORTERS)).default("pretty"))
    .option("--out <file>", "write the report there instead of to the terminal", fileInDirectory)
    .addOption(
      new Option("--also <name=file>", "another report, to a file, such as junit=report.xml; may be repeated")
        .argParser(reportFile)
        .default([], "none"),
    )
    .option("--seed <number>", "seed of the random cases", wholeNumber, DEFAULT_PROPERTIES.seed)
    .option("--runs <number>", "random cases of each property", positiveNumber, DEFAULT_PROPERTIES.runs)
    .option("--vectors <directory>", "other golden vectors than those of this package")
    .version(VERSION, "--version", "print the version")
    .helpOption("--help", "print this");
}

/**
 * What of the suite was asked for.
 *
 * @throws UsageError for a clause or a check that does not exist, and where nothing is left.
 */
export function selectionOf({ only, check, quick = false }: CommandOptions, suite: readonly Check[]): Selection {
  if (only !== undefined && !Object.keys(CLAUSES).some((clause) => clauseMatches(clause, only))) {
    throw new UsageError(`--only ${only}: there is no such clause, expected one of docs/spec.md such as 6.1, or a section such as 6.`);
  }
  for (const id of check) if (!suite.some((each) => each.id === id)) throw unknownCheck(id, suite);
  const selection = { only: only ?? null, checks: check, quick };
  if (select(suite, selection).length > 0) return selection;
  if (check.length > 0 || quick) throw new UsageError("No check of the suite is all that was asked for with --only, --check and --quick.");
  throw new UsageError(`--only ${only}: no check of the suite is about this part of docs/spec.md, expected one that backends can fail.`);
}

function unknownCheck(id: string, suite: readonly Check[]): UsageError {
  const similar = suite.filter((each) => each.id.includes(id)).map((each) => each.id);
  const hint =
    similar.length === 0 ? "an id as a report has it, such as contract/version" : `one such as ${similar.slice(0, 3).join(", ")}`;
  return new UsageError(`--check ${id}: there is no such check, expected ${hint}.`);
}

function repeated(value: string, all: readonly string[]): string[] {
  return [...all, value];
}

function reportFile(text: string, all: readonly ReportFile[]): ReportFile[] {
  const [name, ...rest] = text.split("=");
  const file = rest.join("=");
  const names = Object.keys(REPORTERS);
  if (!names.includes(name) || file === "") {
    throw new InvalidArgumentError(`It is not one of ${names.join(", ")}, an equals sign and a file.`);
  }
  return [...all, { reporter: name, file: fileInDirectory(file) }];
}

/** Gives milliseconds. */
function seconds(text: string): number {
  const value = Number(text);
  // More than a timer can wait for.
  if (!(value > 0 && value < 2 ** 31 / 1000)) throw new InvalidArgumentError("It is not a number of seconds.");
  return value * 1000;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("It is not a whole number.");
  return value;
}

function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("It is not a positive number.");
  return value;
}

/** Found out before the run, not after it. */
export function fileInDirectory(file: string): string {
  if (!existsSync(dirname(resolve(file)))) throw new InvalidArgumentError("Its directory does not exist.");
  return file;
}
