import { readModelFile } from "@batchnorm/onnx-model/node";
import type { Command } from "commander";
import { type Context, printJson } from "../context.ts";
import { writeModelFile } from "../files.ts";
import { foldAndExecute } from "../fold-execution.ts";
import { renderFold } from "../fold-report.ts";
import { type InputOptions, seedOption, shapeOption } from "../input-options.ts";
import { Status } from "../status.ts";

const HELP = `
Every fold is executed with onnxruntime-node or onnxruntime-web, whichever is installed: the nodes that were replaced and those that came for
them, on what they read when the model runs. "error" is the worst difference of the two, "bound" how far they may be apart there; it is derived.

Examples:
  batchnorm fold model.onnx --out folded.onnx
  batchnorm fold model.onnx --input images.npy --out folded.onnx
  batchnorm fold model.onnx --layer bn1 --out folded.onnx
  batchnorm fold model.onnx --float16 --out half.onnx

Exit codes:
  0  fine
  1  a fold is beyond its bound; with --strict, a layer was not folded or a fold was not executed
  2  a wrong use, or a file that cannot be read`;

interface FoldCommandOptions extends InputOptions {
  readonly layer?: readonly string[];
  readonly float16?: boolean;
  readonly out: string;
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function addFold(program: Command, context: Context): void {
  program
    .command("fold")
    .description("Folds batch normalizations into the Conv, ConvTranspose, Gemm or MatMul beside them, and says of the others why not.")
    .argument("<model>", "an ONNX file")
    .requiredOption("--out <file>", "the model to write; the input is overwritten only if it is named here")
    .option("--layer <name...>", "only these layers, by the names that `inspect` gives")
    .option("--float16", "convert to float16 after folding, and say what it costs")
    .option("--input <file...>", "files with inputs (.npy, .npz, .safetensors); their first batch is run")
    .option("--array <input=name...>", "which array of a file feeds an input of another name")
    .option("--random <seed>", "random inputs of this seed, where there is no --input", seedOption, 0)
    .option("--shape <input=sizes...>", "shapes of random inputs (default: the model's, with 4 samples and 32 for all else)", shapeOption)
    .option("--json", "the report as JSON")
    .option("--strict", "exit with 1 also when a layer was not folded, or a fold not executed")
    .addHelpText("after", HELP)
    .action((path: string, options: FoldCommandOptions) => run(context, path, options));
}

async function run(context: Context, path: string, options: FoldCommandOptions): Promise<void> {
  const { layer, float16 = false, out, json = false, strict = false } = options;
  const foldOptions = { float16, ...(layer === undefined ? {} : { layers: layer }) };
  const { result, execution } = await foldAndExecute(await readModelFile(path), foldOptions, options);
  const { model, report } = result;
  await writeModelFile(model, path, out);
  if (json) printJson(context, { ...report, execution, out });
  else context.terminal.out(`${renderFold(report, execution)}written to ${out}\n`);
  const isComplete = report.folded.length === 0 || (!("why" in execution) && execution.unexecuted.length === 0);
  const isWrong = !("why" in execution) && execution.executed.some(({ isWithin }) => !isWithin);
  if (isWrong || (strict && (report.kept.length > 0 || !isComplete))) context.finish(Status.findings);
}
