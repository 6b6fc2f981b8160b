import { mergePartials, type Partial } from "@batchnorm/onnx-model/execute";
import { readModelFile } from "@batchnorm/onnx-model/node";
import type { VarianceEstimator } from "@batchnorm/spec";
import { type Command, Option } from "commander";
import { type Context, EXIT_CODES } from "../context.ts";
import { readJson } from "../files.ts";
import { counted } from "../table.ts";
import { writeResult } from "./recalibrate.ts";

const HELP = `
The partials of all shards, in any order. A set that is incomplete is refused, and so are partials of another model, other layers or other
data. The result has the same bits whoever measured the shards.

Examples:
  for i in 1 2 3 4; do batchnorm recalibrate model.onnx --data images.npy --shard $i/4 --out $i.json; done
  batchnorm merge model.onnx 1.json 2.json 3.json 4.json --out new.onnx
${EXIT_CODES}`;

interface MergeOptions {
  readonly out: string;
  readonly estimator: VarianceEstimator;
  readonly html?: string;
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function addMerge(program: Command, context: Context): void {
  program
    .command("merge")
    .description("Writes the statistics that `recalibrate --shard` measured in parts into the model.")
    .argument("<model>", "the ONNX file that was measured")
    .argument("<partials...>", "what `recalibrate --shard` wrote, of all shards")
    .requiredOption("--out <file>", "the model to write; the input is overwritten only if it is named here")
    .addOption(
      new Option("--estimator <estimator>", "the variance: of Keras, or of PyTorch")
        .choices(["population", "sample"])
        .default("population"),
    )
    .option("--html <file>", "how far the new statistics are from the old ones, as a page with pictures")
    .option("--json", "the report as JSON, with every channel")
    .option("--strict", "exit with 1 when a layer could not be measured")
    .addHelpText("after", HELP)
    .action((path: string, partials: readonly string[], options: MergeOptions) => run(context, path, partials, options));
}

async function run(context: Context, path: string, files: readonly string[], options: MergeOptions): Promise<void> {
  const { estimator } = options;
  const partials: unknown[] = [];
  for (const file of files) partials.push(await readJson(file));
  const result = await mergePartials(await readModelFile(path), partials, estimator);
  const samples = (partials[0] as Partial).shard.totalSamples;
  const text = `${counted(samples, "sample")} in ${counted(files.length, "shard")}`;
  await writeResult(context, path, result, { samples, text }, { shards: files.length }, options);
}
