import { basename } from "node:path";
import type { OnnxModel } from "@batchnorm/onnx-model";
import { measureShard, type RecalibrateResult, recalibrate } from "@batchnorm/onnx-model/execute";
import { readModelFile } from "@batchnorm/onnx-model/node";
import type { VarianceEstimator } from "@batchnorm/spec";
import { type Command, Option } from "commander";
import { type Context, EXIT_CODES, printJson } from "../context.ts";
import type { DataSource } from "../data/data-source.ts";
import { type DataOptions, openData, positiveInteger, type ShardOption, shardOption } from "../data-options.ts";
import { driftPage } from "../drift-page.ts";
import { renderDrift } from "../drift-table.ts";
import { checkOutput, writeJson, writeModelFile, writeWhole } from "../files.ts";
import { ProgressLine } from "../progress.ts";
import { recalibrateTogether } from "../redis/recalibrate.ts";
import { resumable } from "../resumable.ts";
import { loadRuntime } from "../runtime.ts";
import { Status, wrongUse } from "../status.ts";
import { counted } from "../table.ts";

const HELP = `
Data is .npy, .npz or .safetensors, with samples along the first axis. Several inputs take the arrays of their names. Or it is a module whose
default export gives the batches, { image: { data, shape } }: an (async) iterable, or a function that returns one.

"one" measures all layers in one pass, with the old statistics normalizing. "exact" goes level by level: a layer is measured after all layers
before it have their new statistics, which takes a pass for each.

Ctrl-C stops it. What was measured is kept in a file beside the output, and the same command goes on from there.

With --redis the same command, started on any number of machines, measures shards of the data on all of them, and each writes the result. The
shard of a machine that died is measured again. It wants bullmq and ioredis beside the command.

With --shard i/n only every n-th batch is measured, and --out is a partial for \`merge\`. Run all n, anywhere, in any order.

Examples:
  batchnorm recalibrate model.onnx --data images.npy --out new.onnx
  batchnorm recalibrate model.onnx --data a.npz b.npz --array image=pixels --rounds exact --out new.onnx
  batchnorm recalibrate model.onnx --data batches.mjs --out new.onnx
  batchnorm recalibrate model.onnx --data images.npy --redis redis://host:6379 --shards 16 --out new.onnx
  batchnorm recalibrate model.onnx --data images.npy --shard 2/8 --out 2.json
${EXIT_CODES}`;

interface RecalibrateCommandOptions extends DataOptions {
  readonly out: string;
  readonly rounds: "one" | "exact";
  readonly layer?: readonly string[];
  readonly estimator: VarianceEstimator;
  readonly ep: string;
  readonly shard?: ShardOption;
  readonly redis?: string;
  readonly html?: string;
  readonly shards: number;
  readonly lease: number;
  readonly restart?: boolean;
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function addRecalibrate(program: Command, context: Context): void {
  program
    .command("recalibrate")
    .description("New moving statistics from data, pooled in float64, and how far they are from the old ones.")
    .argument("<model>", "an ONNX file")
    .requiredOption("--data <file...>", "files with samples, or a module that gives batches")
    .requiredOption("--out <file>", "the model to write, or with --shard the partial")
    .option("--batch-size <n>", "samples in a batch (default: the model's, else 32); the result does not depend on it", positiveInteger)
    .option("--array <input=name...>", "which array of a file feeds an input of another name")
    .addOption(new Option("--rounds <rounds>", "one pass, or one for each level of layers").choices(["one", "exact"]).default("one"))
    .addOption(
      new Option("--estimator <estimator>", "the variance: of Keras, or of PyTorch")
        .choices(["population", "sample"])
        .default("population"),
    )
    .option("--layer <name...>", "only these layers, by the names that `inspect` gives")
    .option("--shard <i/n>", "measure one shard, for `merge`", shardOption)
    .option("--redis <url>", "measure together with all machines that run this command at this Redis server")
    .option(
      "--shards <n>",
      "with --redis: into how many shards the data is cut; the result depends on it within rounding",
      positiveInteger,
      16,
    )
    .option("--lease <seconds>", "with --redis: for so long a machine may be silent until its shard is measured again", positiveInteger, 30)
    .option("--ep <provider>", "execution provider: cpu or another of onnxruntime-node; wasm", "cpu")
    .option("--html <file>", "how far the new statistics are from the old ones, as a page with pictures")
    .option("--restart", "begin anew, whatever an earlier run left")
    .option("--json", "the report as JSON, with every channel")
    .option("--strict", "exit with 1 when a layer could not be measured")
    .addHelpText("after", HELP)
    .action((path: string, options: RecalibrateCommandOptions) => run(context, path, options));
}

async function run(context: Context, path: string, options: RecalibrateCommandOptions): Promise<void> {
  const { shard, rounds, redis } = options;
  if ((shard !== undefined || redis !== undefined) && rounds === "exact") {
    throw wrongUse("Shards are measured in one pass", "--rounds exact", "--rounds one, as every further level needs the merged result");
  }
  if (shard !== undefined && redis !== undefined) {
    throw wrongUse("The machines at a Redis server choose their shards themselves", "--shard and --redis", "one of the two");
  }
  for (const file of [options.out, options.html]) if (file !== undefined) await checkOutput(file);
  if (shard !== undefined && options.html !== undefined) throw wrongUse("A shard has no drift", "--html", "--html of `merge`");
  const model = await readModelFile(path);
  if (redis !== undefined) {
    await together(context, model, path, { ...options, redis });
    return;
  }
  const data = await openData(model, options, shard);
  try {
    if (shard === undefined) await whole(context, model, path, data, options);
    else await part(context, model, data, shard, options);
  } finally {
    await data.close();
  }
}

async function whole(
  context: Context,
  model: OnnxModel,
  path: string,
  data: DataSource,
  options: RecalibrateCommandOptions,
): Promise<void> {
  const { out, rounds, estimator, layer, ep, restart = false } = options;
  const ort = await loadRuntime(ep);
  let progress: ProgressLine | null = null;
  const { length } = data;
  const run = await resumable(context, out, restart, ({ signal, checkpoint, keep }) =>
    recalibrate(model, {
      ort,
      rounds,
      estimator,
      signal,
      checkpoint,
      key: `${data.fingerprint} ${ep}`,
      sessionOptions: { executionProviders: [ep] },
      ...(layer === undefined ? {} : { layers: layer }),
      batches: () => data.batches(ort),
      onProgress: async ({ pass, passes, batches, checkpoint: sofar }) => {
        progress ??= new ProgressLine(context.terminal, length === null ? null : passes * length);
        const text = length === null && passes > 1 ? `pass ${pass + 1} of ${passes}, batches` : "batches";
        progress.show(length === null ? batches : pass * length + batches, text);
        await keep(sofar);
      },
    }),
  );
  (progress as ProgressLine | null)?.clear();
  if (run === null) return;
  const { samples } = data.counts();
  await writeResult(context, path, run.result, { samples, text: counted(samples, "sample") }, {}, options);
  await run.finish();
}

async function together(
  context: Context,
  model: OnnxModel,
  path: string,
  options: RecalibrateCommandOptions & { readonly redis: string },
): Promise<void> {
  const run = await recalibrateTogether(context, model, options);
  if (run === null) return;
  const { shards } = options;
  const counts = { samples: run.samples, text: `${counted(run.samples, "sample")} in ${shards} shards, ${run.here} measured here` };
  await writeResult(context, path, run.result, counts, { shards, here: run.here }, options);
}

/** Writes the model, and tells of it. */
export async function writeResult(
  context: Context,
  path: string,
  result: RecalibrateResult,
  { samples, text }: { readonly samples: number; readonly text: string },
  more: object,
  { out, html, json = false, strict = false }: Pick<RecalibrateCommandOptions, "out" | "html" | "json" | "strict">,
): Promise<void> {
  await writeModelFile(result.model, path, out);
  if (html !== undefined) await writeWhole(html, driftPage(`Drift of ${basename(path)}`, result));
  if (json) printJson(context, { ...reportOf(result), samples, ...more, out });
  else context.terminal.out(`${text}\n\n${renderDrift(result)}written to ${out}\n`);
  if (strict && result.skipped.length > 0) context.finish(Status.findings);
}

async function part(
  context: Context,
  model: OnnxModel,
  data: DataSource,
  shard: ShardOption,
  options: RecalibrateCommandOptions,
): Promise<void> {
  const { out, layer, ep, restart = false, json = false } = options;
  const ort = await loadRuntime(ep);
  const progress = new ProgressLine(context.terminal, data.length);
  const run = await resumable(context, out, restart, ({ signal, checkpoint, keep }) =>
    measureShard(model, {
      ort,
      signal,
      checkpoint,
      key: `${data.fingerprint} ${shard.index}/${shard.of} ${ep}`,
      sessionOptions: { executionProviders: [ep] },
      ...(layer === undefined ? {} : { layers: layer }),
      batches: () => data.batches(ort),
      onBatch: async ({ batches, checkpoint: sofar }) => {
        progress.show(batches, "batches");
        await keep(sofar);
      },
      shard: () => ({ ...shard, ...data.counts(), data: data.fingerprint }),
    }),
  );
  progress.clear();
  if (run === null) return;
  const { result: partial } = run;
  await writeJson(out, partial);
  await run.finish();
  const { samples, totalSamples } = data.counts();
  if (json) printJson(context, { shard: partial.shard, model: partial.model, out });
  else context.terminal.out(`shard ${shard.index} of ${shard.of}: ${samples} of ${totalSamples} samples, written to ${out}\n`);
}

/** The result without the model. */
export function reportOf({ drift, skipped, moments }: RecalibrateResult): object {
  return { drift, skipped, counts: Object.fromEntries(Object.entries(moments).map(([name, { count }]) => [name, count])) };
}
