import { writeFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import type { Check } from "../checks/check.ts";
import { type MatrixRuntime, toMatrix } from "../matrix/index.ts";
import { isGreen, type Report } from "../report.ts";
import { json } from "../reporters/json.ts";
import { junit } from "../reporters/junit.ts";
import { markdown } from "../reporters/markdown.ts";
import { page } from "../reporters/page.ts";
import { pretty } from "../reporters/pretty.ts";
import { wrap } from "../reporters/table.ts";
import { showCheck } from "./show-check.ts";
import { thisRuntime } from "./this-runtime.ts";

/** Every way to report, by the name that `--reporter` takes. */
export const REPORTERS: Readonly<Record<string, (report: Report, runtime: MatrixRuntime) => string>> = {
  pretty,
  json,
  junit,
  markdown,
  html: (report, runtime) => page([toMatrix(report, runtime, startOf(report))]),
};

/** A report, and the file that it is written to. */
export interface ReportFile {
  readonly reporter: string;
  readonly file: string;
}

/** What is to be reported, how, and where to. */
export interface ReportOptions {
  readonly check: readonly string[];
  readonly reporter: string;
  readonly out?: string;
  /** More reports of the same run. */
  readonly also: readonly ReportFile[];
}

/**
 * Writes the report where it was asked for. Returns the exit status that it means.
 *
 * @param runtime where the backends ran: the runtime of this program unless one says otherwise.
 */
export async function writeReport(
  report: Report,
  { reporter, out, also, check }: ReportOptions,
  suite: readonly Check[],
  runtime: MatrixRuntime = thisRuntime(),
): Promise<number> {
  // Who asks for single checks wants to see what they are about; the report is then short enough for that.
  const shown = reporter === "pretty" ? suite.filter(({ id }) => check.includes(id)).map((each) => showCheck(each, report.results)) : [];
  const text = [...shown, REPORTERS[reporter](report, runtime)].join("\n");
  if (out === undefined) print(text);
  else await writeFile(out, stripVTControlCharacters(text));
  for (const each of also) await writeFile(each.file, stripVTControlCharacters(REPORTERS[each.reporter](report, runtime)));
  return isGreen(report) ? 0 : 1;
}

/** When a run that has just ended had started. */
function startOf({ run }: Report): string {
  return new Date(Date.now() - run.duration).toISOString();
}

/** Prints to the terminal, with colors where they are wanted. */
function print(text: string): void {
  // Who reads the first lines only, as `head` does, has not made a mistake.
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const colored = process.env.NO_COLOR === undefined && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined);
  // Node 20's styleText colors whatever it writes to.
  const shown = colored ? text : stripVTControlCharacters(text);
  process.stdout.write(process.stdout.isTTY ? wrap(shown, process.stdout.columns) : shown);
}
