import { type CompareResult, compareRuns, type Run, type VerifiedLayer, type VerifyResult, verify } from "@batchnorm/onnx-model/execute";
import { readModelFile } from "@batchnorm/onnx-model/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import { renderComparison } from "../comparison-table.ts";
import { type Context, printJson } from "../context.ts";
import { type InputOptions, inputsFor, seedOption, shapeOption } from "../input-options.ts";
import { loadRuntime } from "../runtime.ts";
import { Status, wrongUse } from "../status.ts";
import { counted, renderTable, short } from "../table.ts";
import { line } from "../visible.ts";

const HELP = `
Each layer is held against the formula in float64 for what it read in this run, so one that is wrong does not blame those after it. The bound is
that of clauses 12.2 and 12.3 of the spec; "error / bound" above 1 is wrong.

Two providers, or two models with --against, are also compared with each other: layers of one name, and outputs in their order. There is no bound
for a whole model, so how far is too far is said with --tolerance, as a share of the largest magnitude of an output.

Examples:
  batchnorm verify model.onnx
  batchnorm verify model.onnx --input images.npy
  batchnorm verify model.onnx --random 7 --shape image=4,3,224,224
  batchnorm verify model.onnx --ep cpu,wasm
  batchnorm verify model.onnx --against folded.onnx --tolerance 1e-5

Exit codes:
  0  every layer that was checked is right
  1  a layer is wrong; an output differs by more than --tolerance; with --strict, a layer could not be checked
  2  a wrong use, or a file that cannot be read or executed`;

const DEFAULT_PROVIDERS: readonly string[] = ["cpu"];

interface VerifyCommandOptions extends InputOptions {
  readonly data?: readonly string[];
  readonly ep: readonly string[];
  readonly against?: string;
  readonly tolerance?: number;
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function addVerify(program: Command, context: Context): void {
  program
    .command("verify")
    .description("Executes a model and holds every batch normalization in it against the spec, element by element.")
    .argument("<model>", "an ONNX file")
    .option("--input <file...>", "files with inputs (.npy, .npz, .safetensors, or a module); their first batch is run")
    // As recalibrate calls its data.
    .addOption(new Option("--data <file...>").hideHelp())
    .option("--array <input=name...>", "which array of a file feeds an input of another name")
    .option("--random <seed>", "random inputs of this seed, where there is no --input", seedOption, 0)
    .option("--shape <input=sizes...>", "shapes of random inputs (default: the model's, with 4 samples and 32 for all else)", shapeOption)
    .option(
      "--ep <provider...>",
      "execution providers: cpu and others of onnxruntime-node; wasm; in browsers webgpu",
      providersOption,
      DEFAULT_PROVIDERS,
    )
    .option("--against <model>", "another model, to be compared with this one")
    .option("--tolerance <share>", "how far the outputs of two models or providers may be from each other", shareOption)
    .addOption(new Option("--optimization <level>", "the runtime's own by default").choices(["disabled", "basic", "extended", "all"]))
    .option("--json", "the report as JSON")
    .option("--strict", "exit with 1 also when a layer could not be checked")
    .addHelpText("after", HELP)
    .action((path: string, options: VerifyCommandOptions) => run(context, path, options));
}

async function run(context: Context, path: string, options: VerifyCommandOptions): Promise<void> {
  const { ep, against, tolerance = null, optimization, json = false, strict = false } = options;
  if (tolerance !== null && ep.length === 1 && against === undefined) {
    throw wrongUse("There is nothing to compare with", "--tolerance", "--against, or two providers");
  }
  const model = await readModelFile(path);
  const other = against === undefined ? null : await readModelFile(against);
  const runs: Run[] = [];
  const results: Record<string, VerifyResult> = {};
  for (const provider of ep) {
    const ort = await loadRuntime(provider);
    const inputs = await inputsFor(model, ort, { ...options, ...(options.data === undefined ? {} : { input: options.data }) });
    const sessionOptions = optimization === undefined ? {} : { sessionOptions: { graphOptimizationLevel: optimization } };
    const run = { model, ort, inputs, executionProviders: [provider], ...sessionOptions };
    results[provider] = await verify(model, run);
    runs.push(run);
  }
  const comparisons: Record<string, CompareResult> = {};
  for (const [k, run] of runs.entries()) {
    if (k > 0) comparisons[`${ep[0]} against ${ep[k]}`] = await compareRuns(runs[0], run, tolerance);
    if (other !== null) comparisons[`${ep[k]}, against ${against}`] = await compareRuns(run, { ...run, model: other }, tolerance);
  }
  if (json) printJson(context, { providers: results, comparisons });
  else {
    for (const [provider, result] of Object.entries(results)) context.terminal.out(render(provider, result));
    for (const [title, result] of Object.entries(comparisons)) context.terminal.out(renderComparison(title, result));
  }
  const all = Object.values(results);
  const isIncomplete = all.some(({ skipped, layers }) => skipped.length > 0 || layers.length === 0);
  const isWrong = all.some(({ passed }) => !passed) || Object.values(comparisons).some(({ passed }) => passed === false);
  if (isWrong || (strict && isIncomplete)) context.finish(Status.findings);
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
  const left = skipped.map(({ layer, code, why }) => line(`${layer}: not checked: ${code}: ${why}`));
  const right = layers.length - faults.length;
  const verdict = layers.length === 0 ? "nothing could be checked" : `${right} of ${counted(layers.length, "layer")} right`;
  return `${[table, faults.join(""), left.join("")].filter((part) => part !== "").join("\n")}\n${provider}: ${verdict}\n`;
}

function faultLine({ layer, node, wrong, elements, wrongChannels, worst }: VerifiedLayer): string {
  const { channel, index, x, received, expected, bound } = worst!;
  const place = `worst in channel ${channel} at ${index}: x ${short(x)} gave ${short(received)}, not ${short(expected)}`;
  const where = wrongChannels.length === 1 ? "channel" : "channels";
  return line(
    `${layer} (node ${node}) is wrong in ${wrong} of ${elements} elements, ${where} ${wrongChannels.join(", ")}; ${place} (bound ${bound.toExponential(1)}).`,
  );
}

/** `cpu,wasm`, or both on their own. */
function providersOption(text: string, before: readonly string[]): readonly string[] {
  const names = text.split(",").filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("The name of an execution provider is expected.");
  // The default is replaced, not added to.
  return before === DEFAULT_PROVIDERS ? names : [...before, ...names];
}

function shareOption(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new InvalidArgumentError("A number from 0 on is expected.");
  return value;
}
