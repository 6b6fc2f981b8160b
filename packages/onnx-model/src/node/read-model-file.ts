import { open, readFile, realpath } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import { isBatchNormError } from "@batchnorm/spec";
import { invalidFile } from "../errors.ts";
import type { ExternalReader } from "../file/external.ts";
import { type OnnxModel, readModel } from "../file/model.ts";

/**
 * Reads a model from a file. Data in files beside it is read when it is needed, and only the parts that are: a model
 * with 2 GB of weights takes as much memory as its graph.
 *
 * @throws BatchNormError `invalid-file` for a file that cannot be read, and begins with its name. A link that leaves the
 * model's folder is refused like a path that does, when its data is asked for.
 */
export async function readModelFile(path: string): Promise<OnnxModel> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw invalidFile("The model could not be read", cause instanceof Error ? cause.message : cause, "the path of an ONNX file", cause);
  }
  try {
    return readModel({ bytes, external: folderReader(dirname(path)) });
  } catch (error) {
    if (isBatchNormError(error)) error.message = `${basename(path)}: ${error.message}`;
    throw error;
  }
}

/** A reader of the files in a folder. */
export function folderReader(folder: string): ExternalReader {
  return async (path, offset, length) => {
    const [root, file] = [await realpath(folder), await realpath(resolve(folder, path))];
    if (relative(root, file).split(/[/\\]/)[0] === ".." || relative(root, file) === resolve(file)) {
      throw invalidFile("A file beside the model is a link out of its folder", path, "a file in the model's folder");
    }
    const handle = await open(file, "r");
    try {
      // Asked first: memory is not taken for what a broken model only says.
      const { size } = await handle.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      await handle.read(bytes, 0, bytes.length, offset);
      return bytes;
    } finally {
      await handle.close();
    }
  };
}
