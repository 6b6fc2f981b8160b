import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { cellKey, readMatrix } from "@batchnorm/conformance/matrix";
import type { Task } from "./plan.ts";

const COMMITTED = fileURLToPath(new URL("../../../reports/matrix.json", import.meta.url));

/** Milliseconds for a cell that the committed result file does not have. */
const UNKNOWN = 30_000;

/** How long each cell takes, as the committed result file has it; so that all shards of one commit are cut alike. */
export async function durations(): Promise<(task: Task) => number> {
  const text = await readFile(COMMITTED, "utf8").catch(() => null);
  const cells = text === null ? [] : readMatrix(text).cells;
  const known = new Map(cells.map((cell) => [cellKey(cell), cell.status === "ran" ? cell.result.duration : UNKNOWN]));
  return ({ runtime, backend }) => known.get(cellKey({ runtime: runtime.id, backend })) ?? UNKNOWN;
}
