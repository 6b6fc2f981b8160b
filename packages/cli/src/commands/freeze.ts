import { freeze } from "@batchnorm/onnx-model";
import { readModelFile } from "@batchnorm/onnx-model/node";
import type { Command } from "commander";
import { type Context, EXIT_CODES, printJson } from "../context.ts";
import { writeModelFile } from "../files.ts";
import { Status, wrongUse } from "../status.ts";
import { renderTable } from "../table.ts";

const HELP = `
Which layers has to be said, with --all or --layer: models that want training mode exist.

Examples:
  batchnorm freeze model.onnx --all --out frozen.onnx
  batchnorm freeze model.onnx --layer bn1 bn2 --out frozen.onnx
${EXIT_CODES}`;

interface FreezeOptions {
  readonly all?: boolean;
  readonly layer?: readonly string[];
  readonly out: string;
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function addFreeze(program: Command, context: Context): void {
  program
    .command("freeze")
    .description("Training mode off: layers normalize with the moving statistics of the file.")
    .argument("<model>", "an ONNX file")
    .requiredOption("--out <file>", "the model to write; the input is overwritten only if it is named here")
    .option("--all", "every layer")
    .option("--layer <name...>", "these layers, by the names that `inspect` gives")
    .option("--json", "the report as JSON")
    .option("--strict", "exit with 1 when a layer stays in training mode")
    .addHelpText("after", HELP)
    .action((path: string, options: FreezeOptions) => run(context, path, options));
}

async function run(context: Context, path: string, { all, layer, out, json = false, strict = false }: FreezeOptions): Promise<void> {
  if ((all === undefined) === (layer === undefined)) {
    throw wrongUse("freeze has to be told which layers", all === undefined ? "neither" : "both", "--all, or --layer with names");
  }
  const { model, report } = await freeze(await readModelFile(path), layer === undefined ? { all: true } : { layers: layer });
  await writeModelFile(model, path, out);
  const { frozen, unchanged, kept } = report;
  if (json) printJson(context, { ...report, out });
  else {
    const rows = [
      ...frozen.map(({ layer: name, removedOutputs }) => [
        name,
        "frozen",
        removedOutputs.map((each) => `output ${each} is gone`).join(", "),
      ]),
      ...unchanged.map((name) => [name, "was in inference mode", null]),
      ...kept.map(({ layer: name, code, why }) => [name, "still in training mode", `${code}: ${why}`]),
    ];
    context.terminal.out(`${renderTable({ columns: ["layer", "result", "note"], rows })}written to ${out}\n`);
  }
  if (strict && kept.length > 0) context.finish(Status.findings);
}
