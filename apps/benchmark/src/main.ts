import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { judge } from "./bars.ts";
import { makeCompetitors } from "./competitors/index.ts";
import { measureGrowth } from "./growth.ts";
import { measureOverhead } from "./overhead.ts";
import type { Benchmark } from "./report/benchmark.ts";
import { markdown } from "./report/markdown.ts";
import { svg } from "./report/svg.ts";
import { timeTasks } from "./run.ts";

const REPORTS = fileURLToPath(new URL("../../../reports", import.meta.url));

/** Measures everything, writes the reports and prints the table; the exit status is 1 where a promise does not hold. */
async function main(): Promise<void> {
  const options = new Command("bench")
    .description("Measures every implementation of batch normalization on the same data, in one run.")
    .option("--python <path>", "a Python with torch and numpy, to measure native PyTorch, too")
    .option("--out <folder>", "where to write benchmark.json, benchmark.md and benchmark.svg", REPORTS)
    .parse()
    .opts<{ python?: string; out: string }>();
  const say = (what: string): void => void process.stderr.write(`${what}\n`);

  const competitors = await makeCompetitors(options);
  // First: the same functions run slower in a process in which they have met the types of all the others' arrays.
  say("64 elements");
  const overheads = await measureOverhead(competitors);
  const timings = await timeTasks(competitors, say);
  for (const competitor of competitors) competitor.dispose?.();
  say("growth");
  const growths = await measureGrowth();
  const [cpu] = cpus();
  const machine = { cpu: cpu.model.trim(), cores: cpus().length, platform: `${process.platform} ${process.arch}` };
  const bars = judge(timings, overheads, growths);
  const benchmark: Benchmark = { machine, versions: await versions(), timings, overheads, growths, bars };

  const text = markdown(benchmark);
  await mkdir(options.out, { recursive: true });
  await writeFile(join(options.out, "benchmark.json"), `${JSON.stringify(benchmark, null, 2)}\n`);
  await writeFile(join(options.out, "benchmark.md"), text);
  await writeFile(join(options.out, "benchmark.svg"), svg(timings));
  process.stdout.write(text);
  if (bars.some(({ holds }) => !holds)) process.exitCode = 1;
}

async function versions(): Promise<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const found: Record<string, string> = { Node: process.versions.node };
  for (const name of ["onnxruntime-web", "@tensorflow/tfjs"]) {
    // Packages hide their package.json, but not the folder that they are in.
    const path = require.resolve(name);
    const folder = path.slice(0, path.indexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
    found[name] = (JSON.parse(await readFile(join(dirname(`${folder}x`), "package.json"), "utf8")) as { version: string }).version;
  }
  return found;
}

await main();
