import { readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { BatchNormError, isBatchNormError } from "@batchnorm/spec";
import { invalidFile } from "./errors.ts";
import { readWeights } from "./read-weights.ts";
import type { WeightFile } from "./weight-file.ts";

/**
 * `readWeights` for a path: of a file, or of a folder that Keras's `save_model(model, path, zipped=False)` made. Shards
 * are read from the folder of the file, and from nowhere else, whatever links lie there.
 *
 * @throws BatchNormError `invalid-file` when the path cannot be read (`cause` says why), and what `readWeights` throws,
 * with the file's name in front.
 */
export async function readWeightsFile(path: string): Promise<WeightFile> {
  if (typeof path !== "string") throw new BatchNormError("invalid-argument", "The path of the weight file is none", path, "a string");
  const { bytes, folder } = await open(path);
  const readCompanion = async (name: string): Promise<Uint8Array> => {
    const target = await realpath(join(folder, name));
    // Absolute where the two are on different drives of Windows.
    const inside = relative(await realpath(folder), target);
    if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      throw new Error(`${name} is a link that leads out of the folder`);
    return readFile(target);
  };
  try {
    return await readWeights(bytes, { readCompanion });
  } catch (error) {
    if (isBatchNormError(error)) error.message = `${basename(path)}: ${error.message}`;
    throw error;
  }
}

async function open(path: string): Promise<{ readonly bytes: Uint8Array; readonly folder: string }> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const file = isFolder ? join(path, "config.json") : path;
    return { bytes: await readFile(file), folder: dirname(file) };
  } catch (error) {
    throw invalidFile("The weight file could not be read", messageOf(error), "the path of a file, or of a Keras folder", error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
