import { readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { createJiti } from "jiti";
import type { AnyBackend } from "./checks/check.ts";
import { CLAUSES } from "./clauses.generated.ts";
import { type ConformanceConfig, openBackend, toConfig } from "./config.ts";
import { readVectors } from "./node.ts";
import { isGreen, type Report } from "./report.ts";
import { json } from "./reporters/json.ts";
import { junit } from "./reporters/junit.ts";
import { markdown } from "./reporters/markdown.ts";
import { pretty } from "./reporters/pretty.ts";
import { clauseMatches, type Deviation } from "./run.ts";
import { DEFAULT_PROPERTIES, type Progress, runConformance } from "./suite.ts";

const REPORTERS: Readonly<Record<string, (report: Report) => string>> = { pretty, json, junit, markdown };
const CONFIG_FILES = ["conformance.config.ts", "conformance.config.js", "conformance.config.mjs"];

/** A wrong use of the command line: one sentence, exit status 2. */
class UsageError extends Error {}

interface CliOptions {
  readonly backend: readonly string[];
  readonly only?: string;
  readonly deviations?: string;
  readonly reporter: string;
  readonly out?: string;
  readonly seed: number;
  readonly runs: number;
  readonly mutants: boolean;
  readonly vectors?: string;
}

/**
 * The command line. Returns the exit status: 0 when everything conforms, 1 when something does not, 2 for a wrong use.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const command = new Command("batchnorm-conformance")
    .description("Holds implementations of batch normalization against the spec and the golden vectors that the real Keras made.")
    .argument("[adapter-or-config]", "module whose default export is a config, a backend, or a function that makes one", undefined)
    .option("--backend <name>", "only this backend of the config (may be repeated)", (name: string, all: readonly string[]) => [...all, name], [])
    .option("--only <clause>", "only this clause, such as 6.1, or section, such as 6")
    .option("--deviations <file>", "JSON list of { backend?, id, reason }: checks that are known to fail")
    .addOption(new Option("--reporter <name>", "how to report").choices(Object.keys(REPORTERS)).default("pretty"))
    .option("--out <file>", "write the report there instead of to the terminal")
    .option("--seed <number>", "seed of the random cases", wholeNumber, DEFAULT_PROPERTIES.seed)
    .option("--runs <number>", "random cases of each property", wholeNumber, DEFAULT_PROPERTIES.runs)
    .option("--mutants", "hold the suite against its own wrong backends, too", false)
    .option("--vectors <directory>", "other golden vectors than those of this package")
    .action(async (file: string | undefined, options: CliOptions) => {
      status = await run(file, options);
    });
  command.exitOverride().configureOutput({ writeErr: (text) => process.stderr.write(text) });
  try {
    await command.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(file: string | undefined, options: CliOptions): Promise<number> {
  const { only, reporter, out, seed, runs, mutants } = options;
  if (only !== undefined && !Object.keys(CLAUSES).some((clause) => clauseMatches(clause, only))) {
    throw new UsageError(`--only ${only}: there is no such clause, expected one of docs/spec.md such as 6.1, or a section such as 6.`);
  }
  const config = await loadConfig(file);
  const backends = await openBackends(config, options.backend);
  const listed = options.deviations === undefined ? [] : await readDeviations(options.deviations);
  const vectors = await readVectors(options.vectors);
  const report = await runConformance(backends, {
    vectors,
    deviations: [...(config.deviations ?? []), ...listed],
    only: only ?? null,
    properties: { seed, runs },
    mutants,
    onProgress: process.stderr.isTTY ? showProgress : () => {},
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  const text = REPORTERS[reporter](report);
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text);
  return isGreen(report) ? 0 : 1;
}

async function loadConfig(file: string | undefined): Promise<ConformanceConfig> {
  const name = file ?? CONFIG_FILES.find((each) => existsSync(each));
  if (name === undefined) throw new UsageError(`There is no ${CONFIG_FILES[0]} here: name a config or an adapter module.`);
  const path = resolve(name);
  if (!existsSync(path)) throw new UsageError(`${name} does not exist: name a config or an adapter module.`);
  let exported: unknown;
  try {
    // Node 20 does not import TypeScript by itself.
    const loaded = path.endsWith("ts") ? await createJiti(import.meta.url).import(path) : await import(pathToFileURL(path).href);
    exported = (loaded as { default?: unknown }).default;
  } catch (error) {
    throw new UsageError(`${name} could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return toConfig(exported, name);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function openBackends(config: ConformanceConfig, wanted: readonly string[]): Promise<AnyBackend[]> {
  const all = await Promise.all(config.backends.map(openBackend));
  const unknown = wanted.find((name) => !all.some((backend) => backend.name === name));
  if (unknown !== undefined) throw new UsageError(`--backend ${unknown}: not in the config, expected one of ${all.map(({ name }) => name).join(", ")}.`);
  return wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
}

async function readDeviations(file: string): Promise<Deviation[]> {
  let list: unknown;
  try {
    list = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--deviations ${file} could not be read: ${(error as Error).message}`);
  }
  const isText = (value: unknown): boolean => typeof value === "string" && value.length > 0;
  const good = Array.isArray(list) && list.every((each: Partial<Deviation> | null) => isText(each?.id) && isText(each?.reason));
  if (!good) throw new UsageError(`--deviations ${file} is no list of objects with an id and a reason.`);
  return list as Deviation[];
}

function showProgress({ backend, done, total, last }: Progress): void {
  const name = "id" in last ? last.id : last.mutant;
  process.stderr.write(`\r\u001B[K${backend}  ${done}/${total}  ${name}`);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("It is not a whole number.");
  return value;
}
