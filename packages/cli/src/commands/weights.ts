import type { WeightLayer } from "@batchnorm/weights";
import { readWeightsFile } from "@batchnorm/weights/node";
import type { Command } from "commander";
import { type Context, EXIT_CODES, printJson } from "../context.ts";
import { Status } from "../status.ts";
import { counted, renderTable, short } from "../table.ts";
import { line } from "../visible.ts";

const HELP = `
Reads .keras, .h5, .weights.h5, .weights.json, .safetensors, .safetensors.index.json and TensorFlow.js's model.json.

Examples:
  batchnorm weights model.keras
  batchnorm weights model.safetensors --json > states.json
${EXIT_CODES}`;

export function addWeights(program: Command, context: Context): void {
  program
    .command("weights")
    .description("The batch normalization layers of a weight file of Keras, tf-keras, PyTorch or TensorFlow.js.")
    .argument("<file>", "a weight file, or a folder that Keras saved")
    .option("--json", "everything as JSON, the states in the portable form")
    .option("--strict", "exit with 1 when the state of a layer cannot be read")
    .addHelpText("after", HELP)
    .action(async (path: string, { json = false, strict = false }: { json?: boolean; strict?: boolean }) => {
      const file = await readWeightsFile(path);
      if (json) printJson(context, file);
      else context.terminal.out(`${file.format}, ${counted(file.layers.length, "layer")}\n${render(file.layers)}`);
      if (strict && file.layers.some(({ state }) => state === null)) context.finish(Status.findings);
    });
}

function render(layers: readonly WeightLayer[]): string {
  if (layers.length === 0) return "";
  const rows = layers.map(({ name, path, config, state, storedAs, assumed }) => [
    name,
    path,
    state?.statistics.movingMean.length ?? null,
    short(config?.epsilon ?? null),
    short(config?.momentum ?? null),
    storedAs,
    assumed.join(", "),
  ]);
  const columns = ["layer", "path", "channels", "epsilon", "momentum", "stored as", "assumed"];
  const reasons = layers.flatMap(({ name, reason }) => (reason === null ? [] : [line(`${name}: ${reason.code}: ${reason.message}`)]));
  return `\n${renderTable({ columns, rows })}${reasons.length === 0 ? "" : `\n${reasons.join("")}`}`;
}
