import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { UsageError } from "../config.ts";
import { messageOf } from "../isolated/inside.ts";
import { type Matrix, readMatrix } from "../matrix/index.ts";
import { page } from "../reporters/page.ts";
import { fileInDirectory } from "./options.ts";

/** Adds `page` to a command: the HTML page of one result file, or of what changed between two. */
export function addPageCommand(command: Command): void {
  command
    .command("page")
    .description("make one HTML file of a result file, or of what changed from one to another")
    .argument("<result>", "result file, such as reports/matrix.json; the earlier one of two")
    .argument("[later]", "result file that is compared with it")
    .requiredOption("--out <file>", "write the page there", fileInDirectory)
    .action(async (result: string, later: string | undefined, { out }: { readonly out: string }) => {
      const files = later === undefined ? [result] : [result, later];
      await writeFile(out, page(await Promise.all(files.map(readResult))));
    });
}

/** @throws UsageError when it cannot be read, or is no result. */
async function readResult(file: string): Promise<Matrix> {
  try {
    return readMatrix(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file} could not be read: ${messageOf(error)}`);
  }
}
