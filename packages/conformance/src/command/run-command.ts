import type { Command } from "commander";
import { UsageError } from "../config.ts";
import { messageOf } from "../isolated/inside.ts";
import { stackOf } from "../stack.ts";
import type { CommandOptions } from "./options.ts";

/**
 * Parses the arguments and runs the command. Returns the exit status: 0 when everything conforms, 1 when something does not, 2
 * for a wrong use.
 *
 * @param run takes the config file, if one was named, and the options; gives the exit status.
 */
export async function runCommand<Options extends CommandOptions>(
  command: Command,
  argv: readonly string[],
  run: (file: string | undefined, options: Options) => Promise<number>,
): Promise<number> {
  let status = 0;
  command.action(async (file: string | undefined, options: Options) => {
    status = await run(file, options);
  });
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({
      writeErr: (text) => process.stderr.write(text),
      outputError: (text, write) => write(`${sentence(text.trim().replace(/^error: /, ""))}\n`),
    });
  }
  try {
    await command.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? 0 : 2;
    // A sentence, and under it what it comes from: a wrong use has that only where a module is at fault.
    const detail = error instanceof UsageError ? error.detail : stackOf(error);
    process.stderr.write(`${sentence(messageOf(error))}\n${detail === null ? "" : `${indent(detail)}\n`}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function sentence(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, " ");
  return /[.!?)]$/.test(line) ? line : `${line}.`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
