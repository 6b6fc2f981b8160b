import type { OnnxModel } from "@batchnorm/onnx-model";
import { type Feeds, type Runtime, randomInputs, type VerifiedLayer, type VerifyResult, verify } from "@batchnorm/onnx-model/execute";
import { readModelFile } from "@batchnorm/onnx-model/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Context, printJson } from "../context.ts";
import { openData } from "../data-options.ts";
import { loadRuntime } from "../runtime.ts";
import { Status, wrongUse } from "../status.ts";
import { counted, renderTable, short } from "../table.ts";

const HELP = `
Each layer is held against the formula in float64 for what it read in this run, so one that is wrong does not blame those after it. The bound is
that of clauses 12.2 and 12.3 of the spec; "error / bound" above 1 is wrong.

Examples:
  batchnorm verify model.onnx
  batchnorm verify model.onnx --data images.npy
  batchnorm verify model.onnx --random 7 --shape image=4,3,224,224
  batchnorm verify model.onnx --ep cpu wasm

Exit codes:
  0  every layer that was checked is right
  1  a layer is wrong; with --strict, a layer could not be checked
  2  a wrong use, or a file that cannot be read or executed`;

type Shapes = Readonly<Record<string, readonly number[]>>;

interface VerifyCommandOptions {
  readonly data?: readonly string[];
  readonly array?: readonly string[];
  readonly random: number;
  readonly shape?: Shapes;
  readonly ep: readonly string[];
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function addVerify(program: Command, context: Context): void {
  program
    .command("verify")
    .description("Executes a model and holds every batch normalization in it against the spec, element by element.")
    .argument("<model>", "an ONNX file")
    .option("--data <file...>", "files with inputs; their first batch is run")
    .option("--array <input=name...>", "which array of a file feeds an input of another name")
    .option("--random <seed>", "random inputs of this seed, where there is no --data", seedOption, 0)
    .option("--shape <input=sizes...>", "shapes of random inputs (default: the model's, with 4 samples and 32 for all else)", shapeOption)
    .option("--ep <provider...>", "execution providers, each on its own: cpu and others of onnxruntime-node; wasm, webgpu", ["cpu"])
    .addOption(new Option("--optimization <level>", "the runtime's own by default").choices(["disabled", "basic", "extended", "all"]))
    .option("--json", "the report as JSON")
    .option("--strict", "exit with 1 also when a layer could not be checked")
    .addHelpText("after", HELP)
    .action((path: string, options: VerifyCommandOptions) => run(context, path, options));
}

async function run(context: Context, path: string, options: VerifyCommandOptions): Promise<void> {
  const { ep, optimization, json = false, strict = false } = options;
  if (options.data !== undefined && options.shape !== undefined) {
    throw wrongUse("Shapes are those of the data", "--data and --shape", "one of the two");
  }
  const model = await readModelFile(path);
  const results: Record<string, VerifyResult> = {};
  for (const provider of ep) {
    const ort = await loadRuntime(provider);
    results[provider] = await verify(model, {
      ort,
      inputs: await inputsFor(model, ort, options),
      executionProviders: [provider],
      ...(optimization === undefined ? {} : { sessionOptions: { graphOptimizationLevel: optimization } }),
    });
  }
  if (json) printJson(context, results);
  else for (const [provider, result] of Object.entries(results)) context.terminal.out(render(provider, result));
  const all = Object.values(results);
  const isIncomplete = all.some(({ skipped, layers }) => skipped.length > 0 || layers.length === 0);
  if (all.some(({ passed }) => !passed) || (strict && isIncomplete)) context.finish(Status.findings);
}

async function inputsFor(model: OnnxModel, ort: Runtime, { data, array, random, shape }: VerifyCommandOptions): Promise<Feeds> {
  if (data === undefined) return randomInputs(model, ort, { seed: random, ...(shape === undefined ? {} : { shapes: shape }) });
  const set = await openData(model, { data, ...(array === undefined ? {} : { array }) });
  try {
    for await (const feeds of set.batches(ort)) return feeds;
    throw wrongUse("The data has no samples", data[0], "at least one");
  } finally {
    await set.close();
  }
}

function render(provider: string, { layers, skipped }: VerifyResult): string {
  const rows = layers.map(({ layer, form, mode, elements, wrong, worst }) => [
    layer,
    form,
    mode,
    elements,
    wrong,
    worst === null ? null : worst.error.toExponential(1),
    worst === null ? null : String(Number((worst.error / worst.bound).toPrecision(2))),
  ]);
  const table =
    rows.length === 0 ? "" : renderTable({ columns: ["layer", "form", "mode", "elements", "wrong", "error", "error / bound"], rows });
  const faults = layers.filter(({ wrong }) => wrong > 0).map(faultLine);
  const left = skipped.map(({ layer, code, why }) => `${layer}: not checked: ${code}: ${why}\n`);
  const right = layers.length - faults.length;
  const verdict = layers.length === 0 ? "nothing could be checked" : `${right} of ${counted(layers.length, "layer")} right`;
  return `${[table, faults.join(""), left.join("")].filter((part) => part !== "").join("\n")}\n${provider}: ${verdict}\n`;
}

function faultLine({ layer, node, wrong, elements, wrongChannels, worst }: VerifiedLayer): string {
  const { channel, index, x, received, expected, bound } = worst!;
  const place = `worst in channel ${channel} at ${index}: x ${short(x)} gave ${short(received)}, not ${short(expected)}`;
  const where = wrongChannels.length === 1 ? "channel" : "channels";
  return `${layer} (node ${node}) is wrong in ${wrong} of ${elements} elements, ${where} ${wrongChannels.join(", ")}; ${place} (bound ${bound.toExponential(1)}).\n`;
}

function seedOption(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("A whole number is expected.");
  return value;
}

function shapeOption(text: string, before: Shapes | undefined): Shapes {
  const [, name, sizes] = /^(.+)=(\d+(?:,\d+)*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("INPUT=4,3,224,224 is expected.");
  return { ...before, [name]: sizes.split(",").map(Number) };
}
