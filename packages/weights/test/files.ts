import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a framework says of one of its layers; PyTorch's has no config. */
export interface TrueLayer {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly gamma: readonly number[] | null;
  readonly beta: readonly number[] | null;
  readonly movingMean: readonly number[];
  readonly movingVariance: readonly number[];
}

/** The path of a file that tools/make_files.py made, such as `keras/functional.h5`. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`files/${name}`, import.meta.url));
}

export function bytesOf(name: string): Uint8Array {
  return readFileSync(pathOf(name));
}

/** The layers of a model, as its framework wrote them down. */
export function truthOf(name: string): TrueLayer[] {
  return JSON.parse(readFileSync(pathOf(`${name}.json`), "utf8")) as TrueLayer[];
}
