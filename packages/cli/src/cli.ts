import { isBatchNormError } from "@batchnorm/spec";
import { Command, CommanderError } from "commander";
import { addFold } from "./commands/fold.ts";
import { addFreeze } from "./commands/freeze.ts";
import { addInspect } from "./commands/inspect.ts";
import { addMerge } from "./commands/merge.ts";
import { addRecalibrate } from "./commands/recalibrate.ts";
import { addState } from "./commands/state.ts";
import { addVerify } from "./commands/verify.ts";
import { addWeights } from "./commands/weights.ts";
import type { Context } from "./context.ts";
import { messageOf } from "./files.ts";
import { Status } from "./status.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";
import { visible, visibleLines } from "./visible.ts";

const EXAMPLES = `
Examples:
  batchnorm inspect model.onnx                              what is in the model, and what is wrong with it
  batchnorm inspect model.onnx --strict                     the same in CI: fails on warnings and errors
  batchnorm state read model.onnx --out states.json         parameters and statistics of every layer
  batchnorm freeze model.onnx --all --out frozen.onnx       training mode off
  batchnorm fold model.onnx --out folded.onnx               layers into the Conv, Gemm or MatMul beside them
  batchnorm verify model.onnx                               every layer against the spec, as a runtime computes it
  batchnorm recalibrate model.onnx --data x.npy --out new.onnx   new moving statistics
  batchnorm weights model.keras                             the layers of a weight file

Exit codes:
  0  fine
  1  findings, with --strict; a verification that failed
  2  a wrong use, or a file that cannot be read`;

/** The command line. Returns the exit status; never throws. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal): Promise<Status> {
  let status: Status = Status.fine;
  const finish = (value: Status): void => {
    status = value;
  };
  // Whatever a file may be called, or has names of, is shown and not obeyed.
  const out = (text: string): void => terminal.out(visibleLines(text));
  const context: Context = { terminal: { ...terminal, out }, finish };
  const command = program(context);
  try {
    await command.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return Status.fine;
      // Help that was asked for with no command is printed by then.
      if (error.code !== "commander.help") report(terminal, "wrong-use", error.message.replace(/^error: /, ""));
      return Status.wrongUse;
    }
    if (isBatchNormError(error)) report(terminal, error.code, error.message);
    else report(terminal, "unexpected", messageOf(error));
    return Status.wrongUse;
  }
}

/** All commands, for whoever wants their help texts. */
export function program(context: Context): Command {
  const command = new Command("batchnorm")
    .description("Every batch normalization in an ONNX model: found, read, checked, changed.")
    .version(VERSION, "--version")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  addInspect(command, context);
  addState(command, context);
  addFreeze(command, context);
  addFold(command, context);
  addVerify(command, context);
  addRecalibrate(command, context);
  addMerge(command, context);
  addWeights(command, context);
  settle(command, context.terminal);
  return command;
}

/** No command ends the process or writes past the terminal that was given; its parts inherit nothing from it once they exist. */
function settle(command: Command, { out, err }: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: out,
    writeErr: err,
    outputError: () => undefined,
    getOutHelpWidth: () => 120,
    getErrHelpWidth: () => 120,
  });
  for (const each of command.commands) settle(each as Command, { out, err, isInteractive: false });
}

function report(terminal: Terminal, code: string, message: string): void {
  const line = visible(message.replaceAll(/\s*\n\s*/g, " ").trim());
  terminal.err(`batchnorm: ${code}: ${/[.!?)]$/.test(line) ? line : `${line}.`}\n`);
}
