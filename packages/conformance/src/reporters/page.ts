import { readFileSync } from "node:fs";
import { BatchNormError } from "@batchnorm/spec";
import { type Matrix, writeMatrix } from "../matrix/index.ts";

/** The page without results, as `page/` is built: the same place from `src` and from `dist`. */
const TEMPLATE: URL = new URL("../../page/dist/index.html", import.meta.url);

/** Where the results go. */
const RESULTS = '<script id="results" type="application/json">[]</script>';

/**
 * One HTML file that shows a result, or what changed between two, the earlier one first. It has everything in it and asks nobody for
 * anything.
 *
 * @throws BatchNormError `invalid-file` when the page has not been built.
 */
export function page(matrices: readonly Matrix[]): string {
  const template = readTemplate();
  // Where a text of a result has a tag in it, such as the end of this script, it would become one.
  const texts = matrices.map((matrix) => writeMatrix(matrix).trim().replaceAll("<", "\\u003c"));
  return template.replace(RESULTS, () => RESULTS.replace("[]", () => `[${texts.join(",")}]`));
}

function readTemplate(): string {
  let text = "";
  try {
    text = readFileSync(TEMPLATE, "utf8");
  } catch {
    // It is told of below: a page that is not there and one that is no page have the same cause.
  }
  if (text.includes(RESULTS)) return text;
  throw new BatchNormError("invalid-file", "The page of results has not been built", TEMPLATE.pathname, "it, which `pnpm build` makes");
}
