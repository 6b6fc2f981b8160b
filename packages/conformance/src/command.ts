import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Command, InvalidArgumentError, Option } from "commander";
import { CLAUSES } from "./clauses.generated.ts";
import { isGreen, type Report } from "./report.ts";
import { json } from "./reporters/json.ts";
import { junit } from "./reporters/junit.ts";
import { markdown } from "./reporters/markdown.ts";
import { pretty } from "./reporters/pretty.ts";
import { clauseMatches } from "./run.ts";
import { DEFAULT_PROPERTIES, type Progress } from "./suite.ts";

const REPORTERS: Readonly<Record<string, (report: Report) => string>> = { pretty, json, junit, markdown };

/** A wrong use of the command line: one sentence, exit status 2. */
export class UsageError extends Error {}

/** What every command that runs the suite can be told, whether in Node or in a browser. */
export interface CommandOptions {
  readonly backend: readonly string[];
  readonly only?: string;
  readonly reporter: string;
  readonly out?: string;
  readonly seed: number;
  readonly runs: number;
  readonly vectors?: string;
}

/** A command with the options of `CommandOptions`, to which its door adds its own. */
export function suiteCommand(name: string): Command {
  return new Command(name)
    .option(
      "--backend <name>",
      "only this backend of the config (may be repeated)",
      (name: string, all: readonly string[]) => [...all, name],
      [],
    )
    .option("--only <clause>", "only this clause, such as 6.1, or section, such as 6")
    .addOption(new Option("--reporter <name>", "how to report").choices(Object.keys(REPORTERS)).default("pretty"))
    .option("--out <file>", "write the report there instead of to the terminal", fileInDirectory)
    .option("--seed <number>", "seed of the random cases", wholeNumber, DEFAULT_PROPERTIES.seed)
    .option("--runs <number>", "random cases of each property", positiveNumber, DEFAULT_PROPERTIES.runs)
    .option("--vectors <directory>", "other golden vectors than those of this package");
}

/**
 * Parses the arguments and runs the command. Returns the exit status: 0 when everything conforms, 1 when something does not, 2
 * for a wrong use.
 *
 * @param run takes the config file, if one was named, and the options; gives the exit status.
 */
export async function runCommand<Options extends CommandOptions>(
  command: Command,
  argv: readonly string[],
  run: (file: string | undefined, options: Options) => Promise<number>,
): Promise<number> {
  let status = 0;
  command.action(async (file: string | undefined, options: Options) => {
    status = await run(file, options);
  });
  command.exitOverride().configureOutput({
    writeErr: (text) => process.stderr.write(text),
    outputError: (text, write) =>
      write(
        `${sentence(
          text
            .trim()
            .replace(/^error: /, "")
            .replaceAll(/\s*\n\s*/g, " "),
        )}\n`,
      ),
  });
  try {
    await command.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${sentence(oneLine(error))}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** What an error says, without the code frames and stacks that some loaders put under it. */
export function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0].trim();
}

function sentence(text: string): string {
  return /[.!?)]$/.test(text) ? text : `${text}.`;
}

/** @throws UsageError when no clause of the spec is, or lies in, what `--only` names. */
export function checkClause(only: string | undefined): void {
  if (only !== undefined && !Object.keys(CLAUSES).some((clause) => clauseMatches(clause, only))) {
    throw new UsageError(`--only ${only}: there is no such clause, expected one of docs/spec.md such as 6.1, or a section such as 6.`);
  }
}

/** Writes the report where it was asked for. Returns the exit status that it means. */
export async function writeReport(report: Report, { reporter, out }: Pick<CommandOptions, "reporter" | "out">): Promise<number> {
  const colored = out === undefined && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined);
  // Node 20's styleText colors whatever it writes to.
  const text = colored ? REPORTERS[reporter](report) : stripVTControlCharacters(REPORTERS[reporter](report));
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text);
  return isGreen(report) ? 0 : 1;
}

/** One line on a terminal that shows how far the run has come; nothing elsewhere. */
export function showProgress({ backend, done, total, last }: Progress): void {
  const name = "id" in last ? last.id : last.mutant;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${backend}  ${done}/${total}  ${name}`);
}

/** Takes that line away. */
export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("It is not a whole number.");
  return value;
}

function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("It is not a positive number.");
  return value;
}

/** Found out before the run, not after it. */
function fileInDirectory(file: string): string {
  if (!existsSync(dirname(resolve(file)))) throw new InvalidArgumentError("Its directory does not exist.");
  return file;
}
