import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { messageOf } from "@batchnorm/conformance";
import {
  isMatrixGreen,
  type Matrix,
  type MatrixCell,
  matrixVerdict,
  mergeMatrices,
  missingCells,
  readMatrix,
} from "@batchnorm/conformance/matrix";
import { isBatchNormError } from "@batchnorm/spec";
import { Command, InvalidArgumentError, Option } from "commander";
import { durations } from "./durations.ts";
import { keepIn } from "./full-reports.ts";
import { openPacked, packForOneRun, packInto } from "./packed.ts";
import { type Depth, plan, type Task } from "./plan.ts";
import { ProgressLines } from "./progress.ts";
import { checkReports, REPORTS, writeReports } from "./reports.ts";
import { type MatrixOptions, runMatrix } from "./run-matrix.ts";
import { parseShard, type Shard, tasksOf } from "./shard.ts";
import { Unfinished } from "./unfinished.ts";
import { withMissing } from "./with-missing.ts";

interface RunOptions {
  readonly runtime: readonly string[];
  readonly backend: readonly string[];
  readonly depth: Depth;
  readonly shard?: Shard;
  readonly jobs: number;
  readonly out?: string;
  readonly full?: string;
  readonly packed?: string;
  readonly resume: boolean;
  readonly list: boolean;
}

const EXAMPLES = `
Examples:
  conformance:all                                            everything, into reports/
  conformance:all --runtime node-20 --runtime deno --backend cpu
  conformance:all --shard 1/4 --out shards/1                 a quarter of it, in shards/1/matrix.json
  conformance:all merge --all shards/*/matrix.json           the quarters together

A runtime that this machine does not have is not run, and says how to get it. With REQUIRE_ALL=1 that is a failure.

Exit codes:
  0  everything that was run conforms
  1  something does not, or was not run and had to be
  2  a wrong use`;

/** The command line of the matrix. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = new Command("conformance:all")
    // `merge` and `render` have options of the same names.
    .enablePositionalOptions()
    .description("Runs every backend on every runtime, as packed packages, into one result file.")
    .addOption(repeated("--runtime <id>", "only this runtime; may be repeated"))
    .addOption(repeated("--backend <name>", "only this backend; may be repeated"))
    .addOption(
      new Option(
        "--depth <depth>",
        "once: the whole suite on one runtime of each backend, and no slow checks elsewhere; or the same for all",
      )
        .choices(["once", "quick", "whole"])
        .default("once"),
    )
    .option("--shard <i/n>", "only this part of it, of n that take about equally long", usable(parseShard))
    .option("--jobs <number>", "how many cells run at a time", usable(positive), availableParallelism())
    .option("--out <directory>", `where the reports go (default: ${REPORTS} for everything, nowhere for a part)`)
    .option("--full <directory>", "keeps the whole report of every cell there, for the command report")
    .option("--packed <directory>", "a folder that the command pack has made, in place of a new one")
    .option("--resume", "goes on where a run with the same --out was cut off", false)
    .option("--list", "only list the cells", false)
    // Or --out of a subcommand would be taken for the one of the run.
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES)
    .action(async (options: RunOptions) => {
      status = await run(options);
    });
  program
    .command("pack")
    .description("Builds and packs the packages, and installs them in an empty folder, for --packed.")
    .argument("<directory>", "the folder")
    .action(async (directory: string) => {
      await packInto(directory);
    });
  program
    .command("merge")
    .description("Puts result files of several runs together.")
    .argument("<files...>", "matrix.json of each run")
    .option("--out <directory>", "where the reports go", REPORTS)
    .option("--all", "every cell that no file has counts as not run: a part may have been lost", false)
    .action(async (files: readonly string[], { out, all }: { readonly out: string; readonly all: boolean }) => {
      const merged = mergeMatrices(await Promise.all(files.map(readFileAsMatrix)));
      status = await finish(all ? withMissing(merged, plan([], [], "once")) : merged, out);
    });
  program
    .command("render")
    .description("Writes the pages anew from the result file.")
    .argument("[directory]", "where matrix.json is", REPORTS)
    .option("--check", "only say whether they are up to date", false)
    .action(async (directory: string, { check }: { readonly check: boolean }) => {
      const matrix = await readFileAsMatrix(`${directory}/matrix.json`);
      const stale = check ? await checkReports(matrix, directory) : await writeReports(matrix, directory).then(() => []);
      for (const file of stale) console.error(`${file} is not what ${directory}/matrix.json says: run conformance:all render.`);
      status = stale.length === 0 ? 0 : 1;
    });
  for (const each of [program, ...program.commands]) each.exitOverride();
  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? 0 : 2;
    console.error(messageOf(error));
    return error instanceof RangeError || isBatchNormError(error) ? 2 : 1;
  }
}

async function run({ runtime, backend, depth, shard, jobs, out, full, packed: folder, resume, list }: RunOptions): Promise<number> {
  const all = plan(runtime, backend, depth);
  const durationOf = await durations();
  const tasks = shard === undefined ? all : tasksOf(all, shard, durationOf);
  if (list) {
    for (const each of tasks) console.log(describeTask(each));
    return 0;
  }
  const isPart = runtime.length + backend.length > 0 || shard !== undefined || depth === "quick";
  const directory = out ?? (isPart ? null : REPORTS);
  const unfinished = directory === null ? null : new Unfinished(directory);
  const earlier = resume ? await unfinished?.read() : null;
  const left = earlier ? tasks.filter((task) => !earlier.cells.some((cell) => cell.status === "ran" && isOf(cell, task))) : tasks;
  const together = (matrix: Matrix): Matrix => (earlier ? mergeMatrices([earlier, matrix]) : matrix);
  const progress = new ProgressLines(left.length);
  if (left.length === 0) return finish(earlier!, directory);
  const onCell: MatrixOptions["onCell"] = async (cell, duration, soFar) => {
    progress.cell(cell, duration);
    await unfinished?.write(together(soFar));
  };
  if (folder === undefined) progress.step("packing and installing the packages");
  const { packed, remove } = folder === undefined ? await packForOneRun() : { packed: openPacked(folder), remove: async () => {} };
  // The longest first: what takes ten minutes must not begin when everything else has ended.
  const longestFirst = [...left].sort((a, b) => durationOf(b) - durationOf(a));
  const matrix = await runMatrix(longestFirst, packed, { jobs, onCell, onReport: full === undefined ? undefined : keepIn(full) }).finally(
    remove,
  );
  const status = await finish(together(matrix), directory);
  await unfinished?.remove();
  return status;
}

function isOf(cell: MatrixCell, { runtime, backend }: Task): boolean {
  return cell.runtime === runtime.id && cell.backend === backend;
}

async function finish(matrix: Matrix, out: string | null): Promise<number> {
  if (out !== null) await writeReports(matrix, out);
  const missing = missingCells(matrix);
  const required = Boolean(process.env.REQUIRE_ALL) && missing.length > 0;
  for (const { id, name, status, reason, howToGet } of matrix.runtimes) {
    if (status === "not-run") console.log(`- ${name} was not run (${id}): ${reason} To get it: ${howToGet}.`);
  }
  for (const problem of matrix.problems) console.log(`✗ ${problem}`);
  console.log(`\n${matrixVerdict(matrix)}`);
  if (required) console.log("REQUIRE_ALL is set: what was not run counts as failed.");
  return isMatrixGreen(matrix) && !required ? 0 : 1;
}

async function readFileAsMatrix(file: string): Promise<Matrix> {
  try {
    return readMatrix(await readFile(file, "utf8"));
  } catch (error) {
    throw new RangeError(`${file}: ${messageOf(error)}`);
  }
}

function describeTask({ runtime, backend, quick }: Task): string {
  return `${runtime.id} ${backend}${quick ? " (quick)" : ""}`;
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, all: string[]) => [...all, value]).default([], "all");
}

/** As commander wants a parser to refuse. */
function usable<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError("It is not a positive whole number.");
}
