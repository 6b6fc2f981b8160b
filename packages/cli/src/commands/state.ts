import { readStates, type StatesResult, writeStates } from "@batchnorm/onnx-model";
import { readModelFile } from "@batchnorm/onnx-model/node";
import { type BatchNormJSON, fromJSON } from "@batchnorm/spec/convert";
import type { Command } from "commander";
import { type Context, EXIT_CODES, printJson } from "../context.ts";
import { readJson, writeJson, writeModelFile } from "../files.ts";
import { Status, wrongUse } from "../status.ts";
import { counted, renderTable, short } from "../table.ts";
import { line } from "../visible.ts";

const READ_HELP = `
Examples:
  batchnorm state read model.onnx
  batchnorm state read model.onnx --out states.json
${EXIT_CODES}`;

const WRITE_HELP = `
States are what \`state read --out\` or \`weights --json\` gave. Layers are matched by name; a layer that the states do not name stays.

Examples:
  batchnorm state write model.onnx states.json --out new.onnx
${EXIT_CODES}`;

interface ReadOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly out?: string;
  readonly momentum?: number;
}

export function addState(program: Command, context: Context): void {
  const state = program.command("state").description("Portable states out of and into a model.").helpCommand(false);
  state
    .command("read")
    .description("Parameters, statistics and config of every layer whose arrays are in the file.")
    .argument("<model>", "an ONNX file")
    .option("--out <file>", "write the states, as JSON")
    .option("--momentum <number>", "the momentum of layers whose form has none (default: Keras's, 0.99)", Number)
    .option("--json", "everything as JSON, on stdout")
    .option("--strict", "exit with 1 when the state of a layer cannot be read")
    .addHelpText("after", READ_HELP)
    .action((path: string, options: ReadOptions) => read(context, path, options));
  state
    .command("write")
    .description("Writes states into a model. Shared tensors are copied first; all else stays byte for byte.")
    .argument("<model>", "an ONNX file")
    .argument("<states>", "a JSON file with states")
    .requiredOption("--out <file>", "the model to write; the input is overwritten only if it is named here")
    .option("--json", "what was written, as JSON")
    .addHelpText("after", WRITE_HELP)
    .action((path: string, states: string, options: { readonly out: string; readonly json?: boolean }) =>
      write(context, path, states, options),
    );
}

async function read(context: Context, path: string, { json = false, strict = false, out, momentum }: ReadOptions): Promise<void> {
  const result = await readStates(await readModelFile(path), momentum === undefined ? {} : { momentum });
  if (out !== undefined) await writeJson(out, result);
  if (json) printJson(context, result);
  else context.terminal.out(render(result, out));
  if (strict && result.unreadable.length > 0) context.finish(Status.findings);
}

function render({ states, unreadable, momentumAssumed, rounded }: StatesResult, out: string | undefined): string {
  const rows = Object.entries(states).map(([name, json]) => {
    const { config, state } = fromJSON(json);
    const { gamma } = state.parameters;
    const { movingMean, movingVariance } = state.statistics;
    const momentum = `${short(config.momentum)}${momentumAssumed.includes(name) ? " (assumed)" : ""}`;
    return [name, movingMean.length, short(config.epsilon), momentum, range(gamma), range(movingMean), range(movingVariance)];
  });
  const lines = [
    ...unreadable.map(({ layer, code, why }) => line(`${layer}: ${code}: ${why}`)),
    ...rounded.map((layer) => line(`${layer}: some numbers were rounded to float32.`)),
    ...(out === undefined ? [] : [`${counted(rows.length, "state")} written to ${out}\n`]),
  ];
  const table = renderTable({ columns: ["layer", "channels", "epsilon", "momentum", "gamma", "mean", "variance"], rows });
  return [rows.length === 0 ? "No state can be read.\n" : table, ...lines].join("");
}

function range(values: Float32Array | null): string | null {
  if (values === null) return null;
  const [from, to] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  return from === to ? short(from) : `${short(from)} .. ${short(to)}`;
}

async function write(context: Context, path: string, file: string, { out, json = false }: { out: string; json?: boolean }): Promise<void> {
  const states = statesOf(await readJson(file), file);
  const { model, written } = await writeStates(await readModelFile(path), states);
  await writeModelFile(model, path, out);
  if (json) return printJson(context, { written, out });
  const rows = written.map(({ layer, changed, unshared }) => [layer, changed.join(", ") || "nothing", unshared.join(", ")]);
  context.terminal.out(`${renderTable({ columns: ["layer", "changed", "copied first"], rows })}written to ${out}\n`);
}

/** The states of either kind of file: `{ states: { name: state } }`, or `{ layers: [{ name, layer }] }` of a weight file. */
function statesOf(json: unknown, file: string): Record<string, BatchNormJSON> {
  const { states, layers } = (typeof json === "object" ? (json ?? {}) : {}) as { states?: unknown; layers?: unknown };
  // What a state has to be is checked where it is written.
  if (typeof states === "object" && states !== null && !Array.isArray(states)) return states as Record<string, BatchNormJSON>;
  if (Array.isArray(layers)) {
    const known = layers.filter((each) => typeof each?.name === "string" && each.layer) as { name: string; layer: BatchNormJSON }[];
    return Object.fromEntries(known.map(({ name, layer }) => [name, layer]));
  }
  throw wrongUse("The file has no states", file, "what `state read --out` or `weights --json` wrote");
}
