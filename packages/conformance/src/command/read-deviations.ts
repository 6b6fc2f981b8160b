import { readFile } from "node:fs/promises";
import { UsageError } from "../config.ts";
import { DEVIATIONS_FORM, type Deviation, isDeviations } from "../deviations.ts";
import { messageOf } from "../isolated/inside.ts";

/**
 * The list of the file that `--deviations` names, if it names one.
 *
 * @throws UsageError when it cannot be read, or is no such list.
 */
export async function readDeviations(file: string | undefined): Promise<readonly Deviation[]> {
  if (file === undefined) return [];
  let list: unknown;
  try {
    list = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--deviations ${file} could not be read: ${messageOf(error)}`);
  }
  if (!isDeviations(list)) throw new UsageError(`--deviations ${file} is not ${DEVIATIONS_FORM}.`);
  return list;
}
