import { BatchNormError } from "@batchnorm/spec";
import { invalidFile } from "../errors.ts";
import { plainBytes } from "./bytes.ts";

/** Gives the bytes of a file that lies beside the one that is read, by the relative path that stands in it, with slashes. */
export type ReadCompanion = (path: string) => Promise<Uint8Array>;

/**
 * Refuses a path that could lead out of the folder of the file that names it.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function checkRelativePath(what: string, path: unknown): asserts path is string {
  const wrong =
    typeof path !== "string" ||
    path === "" ||
    /[\\:\0]/.test(path) ||
    path.startsWith("/") ||
    path.split("/").some((part) => part === "..");
  if (wrong) throw invalidFile(`${what} whose path may leave the folder`, path, "a relative path without .., backslashes and colons");
}

/**
 * The bytes of a companion file.
 *
 * @throws BatchNormError `invalid-file` when the path leaves the folder or the file cannot be read (`cause` says why), `invalid-argument`
 * when there is nothing to read it with.
 */
export async function readCompanionFile(read: ReadCompanion | undefined, path: unknown): Promise<Uint8Array> {
  checkRelativePath("The file names another one", path);
  if (read === undefined) {
    throw new BatchNormError("invalid-argument", "The weights lie in another file", path, "the option readCompanion, which reads it");
  }
  let given: unknown;
  try {
    given = await read(path);
  } catch (error) {
    throw invalidFile("A file that belongs to this one cannot be read", path, "all files of the model", error);
  }
  const bytes = plainBytes(given);
  if (bytes === null) throw new BatchNormError("invalid-argument", "readCompanion gave no bytes", given, "a Uint8Array");
  return bytes;
}
