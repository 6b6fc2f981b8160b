import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Matrix, missingCells, readMatrix, runCells, writeMatrix } from "@batchnorm/conformance/matrix";

/** What a run has so far, in a file beside its reports: a run takes long, and what ends it must not cost the cells that are done. */
export class Unfinished {
  readonly #directory: string;
  readonly #file: string;
  /** Several cells may end at once. */
  #written: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
    this.#file = join(directory, "matrix.unfinished.json");
  }

  /** What was run, without what could not be: that is tried again. Null where no run was cut off. @throws BatchNormError for a damaged file. */
  async read(): Promise<Matrix | null> {
    const text = await readFile(this.#file, "utf8").catch(() => null);
    if (text === null) return null;
    const matrix = readMatrix(text);
    const reasons = missingCells(matrix).map(({ reason }) => reason);
    const problems = matrix.problems.filter((problem) => !reasons.some((reason) => problem.endsWith(reason)));
    return { ...matrix, cells: runCells(matrix), problems };
  }

  write(matrix: Matrix): Promise<void> {
    this.#written = this.#written.then(async () => {
      await mkdir(this.#directory, { recursive: true });
      await writeFile(`${this.#file}.new`, writeMatrix(matrix));
      // Never half a file.
      await rename(`${this.#file}.new`, this.#file);
    });
    return this.#written;
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
