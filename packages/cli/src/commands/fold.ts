import { boundFor, type FoldReport, fold } from "@batchnorm/onnx-model";
import { readModelFile } from "@batchnorm/onnx-model/node";
import type { Command } from "commander";
import { type Context, EXIT_CODES, printJson } from "../context.ts";
import { writeModelFile } from "../files.ts";
import { Status } from "../status.ts";
import { counted, renderTable, short } from "../table.ts";

const HELP = `
The bound is how far an output may be from the original's, in its worst channel, for inputs of at most 1 in magnitude to the folded node.

Examples:
  batchnorm fold model.onnx --out folded.onnx
  batchnorm fold model.onnx --layer bn1 --out folded.onnx
  batchnorm fold model.onnx --float16 --out half.onnx
${EXIT_CODES}`;

interface FoldOptions {
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
    .option("--json", "the report as JSON")
    .option("--strict", "exit with 1 when a layer was not folded")
    .addHelpText("after", HELP)
    .action((path: string, options: FoldOptions) => run(context, path, options));
}

async function run(context: Context, path: string, options: FoldOptions): Promise<void> {
  const { layer, float16 = false, out, json = false, strict = false } = options;
  const { model, report } = await fold(await readModelFile(path), { float16, ...(layer === undefined ? {} : { layers: layer }) });
  await writeModelFile(model, path, out);
  if (json) printJson(context, { ...report, out });
  else context.terminal.out(`${render(report)}written to ${out}\n`);
  if (strict && report.kept.length > 0) context.finish(Status.findings);
}

function render({ folded, kept, float16 }: FoldReport): string {
  const parts: string[] = [];
  if (folded.length > 0) {
    const rows = folded.map(({ layer, into, direction, through, copied, added, bound }) => [
      layer,
      `${into.operator} ${into.node}`,
      direction,
      Math.max(...boundFor(bound, 1)).toExponential(1),
      [
        ...(through.length === 0 ? [] : [`through ${through.join(", ")}`]),
        ...(copied.length === 0 ? [] : [`copied ${copied.join(", ")}`]),
        ...(added === null ? [] : [`added ${added === "Add" ? "an Add" : "a bias"}`]),
      ].join("; "),
    ]);
    parts.push(renderTable({ columns: ["folded", "into", "direction", "bound", "note"], rows }));
  }
  if (kept.length > 0) {
    parts.push(renderTable({ columns: ["kept", "code", "why"], rows: kept.map(({ layer, code, why }) => [layer, code, why]) }));
  }
  if (float16 !== null) parts.push(renderFloat16(float16));
  return parts.length === 0 ? "The model has no batch normalization.\n" : `${parts.join("\n")}`;
}

function renderFloat16({ converted, kept, casts, losses, refused }: NonNullable<FoldReport["float16"]>): string {
  const count = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, each) => sum + each, 0);
  const nodes = `float16: ${counted(count(converted), "node")} converted, ${count(kept)} kept in float32, ${counted(casts, "Cast")} added\n`;
  const rows = losses
    .filter(({ vanished, subnormal, worst }) => vanished > 0 || subnormal > 0 || worst !== null)
    .map(({ tensor, elements, vanished, subnormal, worst }) => [
      tensor,
      elements,
      vanished,
      subnormal,
      worst === null ? null : `${short(worst.before)} -> ${short(worst.after)}`,
    ]);
  const table = rows.length === 0 ? "" : renderTable({ columns: ["tensor", "elements", "now 0", "subnormal", "moved most"], rows });
  return `${nodes}${table}${refused.map(({ node, why }) => `${node}: ${why}\n`).join("")}`;
}
