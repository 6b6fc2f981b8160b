import { basename } from "node:path";
import { type Finding, type InspectedLayer, type InspectReport, inspect } from "@batchnorm/onnx-model";
import { readModelFile } from "@batchnorm/onnx-model/node";
import type { Command } from "commander";
import { type Context, EXIT_CODES, printJson } from "../context.ts";
import { writeWhole } from "../files.ts";
import { inspectPage } from "../inspect-page.ts";
import { arraysForPage } from "../page-arrays.ts";
import { Status } from "../status.ts";
import { counted, renderTable, short } from "../table.ts";
import { line } from "../visible.ts";
import { readWeightStates, type WeightStates } from "../weight-states.ts";

const HELP = `
--strict fails on errors and warnings. Notes are worth knowing, and never fail.

A weight file beside the model (--weights) fills in what an exporter left out, and is checked against what is there: what the model multiplies a
channel with must be gamma / sqrt(variance + epsilon).

Examples:
  batchnorm inspect model.onnx
  batchnorm inspect model.onnx --json | jq '.findings[].code'
  batchnorm inspect model.onnx --strict
  batchnorm inspect model.onnx --html model.html
  batchnorm inspect model.onnx --weights model.keras
${EXIT_CODES}`;

interface InspectOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly html?: string;
  readonly weights?: string;
}

export function addInspect(program: Command, context: Context): void {
  program
    .command("inspect")
    .description("A table of the batch normalizations of a model, and what is to be said of them.")
    .argument("<model>", "an ONNX file")
    .option("--json", "the whole report as JSON")
    .option("--html <file>", "write a page with the distributions of each layer's arrays")
    .option("--weights <file>", "a weight file of the same model (.keras, .h5, .safetensors, model.json): fills in and is checked")
    .option("--strict", "exit with 1 when there is a warning or an error")
    .addHelpText("after", HELP)
    .action((path: string, options: InspectOptions) => run(context, path, options));
}

async function run(context: Context, path: string, { json = false, strict = false, html, weights: file }: InspectOptions): Promise<void> {
  const model = await readModelFile(path);
  const weights = file === undefined ? null : await readWeightStates(file);
  const report = await inspect(model, weights === null ? {} : { states: weights.states });
  if (html !== undefined) await writeWhole(html, inspectPage(basename(path), report, await arraysForPage(model, report, weights)));
  if (json)
    printJson(context, weights === null ? report : { ...report, weights: { format: weights.format, unreadable: weights.unreadable } });
  else context.terminal.out(render(report, weights));
  if (strict && report.findings.some(({ severity }) => severity !== "note")) context.finish(Status.findings);
}

function render({ model, layers, lookalikes, traces, findings }: InspectReport, weights: WeightStates | null): string {
  const producer = [model.producer, model.producerVersion].filter((part) => part !== "").join(" ") || "unknown producer";
  const parts = [
    line(`${producer}, opset ${model.opset}, ${counted(model.nodes, "node")}, ${counted(layers.length, "batch normalization")}`),
  ];
  if (layers.length > 0) parts.push(layerTable(layers, weights !== null));
  if (weights !== null) parts.push(weightLines(layers, weights));
  if (traces.length > 0) parts.push(list("Folded away before the file was written", traces.map(traceLine)));
  if (lookalikes.length > 0) {
    const lines = lookalikes.map(({ code, nodes, scope }) => `${code}: ${within(nodes.join(", "), scope)}`);
    parts.push(list("Looks like one and is none", lines));
  }
  if (findings.length > 0) parts.push(list("Findings", findings.map(findingLine)));
  return parts.join("\n");
}

/** How much of the weight file has found its place. */
function weightLines(layers: readonly InspectedLayer[], { name, format, states, unreadable }: WeightStates): string {
  const matched = layers.filter((layer) => layer.weights !== null).length;
  const all = Object.keys(states).length;
  const lines = unreadable.map(({ layer, code, why }) => line(`  ${layer}: ${code}: ${why}`));
  return `${name} (${format}): ${matched} of ${counted(all, "state")} belong to layers above\n${lines.join("")}`;
}

function layerTable(layers: readonly InspectedLayer[], withWeights: boolean): string {
  return renderTable({
    columns: [
      ...["layer", "form", "channels", "epsilon", "momentum", "mode", "after", "before", "mean", "variance", "fold"],
      ...(withWeights ? ["weights"] : []),
    ],
    rows: layers.map((layer) => [
      within(layer.name, layer.scope),
      layer.form,
      layer.channels,
      short(layer.epsilon),
      short(layer.momentum),
      layer.mode,
      layer.input.from.operator ?? layer.input.from.kind,
      [...new Set(layer.output.to.map(({ operator, kind }) => operator ?? kind))].join(", "),
      range(layer, "movingMean"),
      range(layer, "movingVariance"),
      layer.fold.possible ? `into ${layer.fold.operator}` : layer.fold.code,
      ...(withWeights ? [layer.weights?.state ?? null] : []),
    ]),
  });
}

function range({ arrays }: InspectedLayer, name: "movingMean" | "movingVariance"): string | null {
  const summary = arrays[name];
  if (summary === null) return null;
  if (summary.smallest === null) return "not finite";
  const [from, to] = [short3(summary.smallest), short3(summary.largest!)];
  return from === to ? from : `${from} .. ${to}`;
}

function short3(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function traceLine({ node, operator, scope, evidence, says }: InspectReport["traces"][number]): string {
  return `${within(node, scope)} (${operator}), by its ${evidence}: ${says}`;
}

function findingLine({ severity, code, layer, sentence, reference }: Finding): string {
  const where = layer === null ? "" : ` ${layer}:`;
  return `${severity.padEnd(7)}  ${code}:${where} ${sentence}${reference === null ? "" : ` (${reference})`}`;
}

function within(name: string, scope: string): string {
  return scope === "" ? name : `${name} (in ${scope})`;
}

function list(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((each) => line(`  ${each}`)).join("")}`;
}
