import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadVectors, type Vectors } from "./load.ts";

/** The directory of the golden vectors that this package ships. */
export const VECTORS_DIRECTORY: string = fileURLToPath(new URL("../../vectors/", import.meta.url));

/** Loads the golden vectors from disk: those of this package, or another directory of the same format. */
export function readVectors(directory: string = VECTORS_DIRECTORY): Promise<Vectors> {
  return loadVectors((name) => readFile(`${directory}/${name}`));
}
