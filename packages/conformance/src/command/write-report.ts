import { writeFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { isGreen, type Report } from "../report.ts";
import { json } from "../reporters/json.ts";
import { junit } from "../reporters/junit.ts";
import { markdown } from "../reporters/markdown.ts";
import { pretty } from "../reporters/pretty.ts";
import type { CommandOptions } from "./options.ts";

/** Every way to report, by the name that `--reporter` takes. */
export const REPORTERS: Readonly<Record<string, (report: Report) => string>> = { pretty, json, junit, markdown };

/** Writes the report where it was asked for. Returns the exit status that it means. */
export async function writeReport(report: Report, { reporter, out }: Pick<CommandOptions, "reporter" | "out">): Promise<number> {
  const text = REPORTERS[reporter](report);
  if (out === undefined) print(text);
  else await writeFile(out, stripVTControlCharacters(text));
  return isGreen(report) ? 0 : 1;
}

/** Prints to the terminal, with colors where they are wanted. */
export function print(text: string): void {
  const colored = process.env.NO_COLOR === undefined && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined);
  // Node 20's styleText colors whatever it writes to.
  process.stdout.write(colored ? text : stripVTControlCharacters(text));
}
