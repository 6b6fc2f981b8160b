import { createHash } from "node:crypto";
import type { OnnxModel } from "@batchnorm/onnx-model";
import type { Feeds, Runtime } from "@batchnorm/onnx-model/execute";
import { wrongUse } from "../status.ts";
import type { StoredArray } from "./array.ts";
import { type DataFile, openDataFile } from "./data-file.ts";
import { type ModelInput, modelInputs, tensorFor } from "./model-inputs.ts";

/** A run of rows in one of the files. No batch spans two files. */
interface BatchPlace {
  readonly file: number;
  readonly from: number;
  readonly to: number;
}

export interface DataSetOptions {
  readonly batchSize?: number;
  /** The arrays for inputs of other names, by the input's name. */
  readonly arrays?: ReadonlyMap<string, string>;
  /** Only every n-th batch, from the i-th on. */
  readonly shard?: { readonly index: number; readonly of: number };
}

const USUAL_BATCH = 32;

/** Data for a model out of files, in batches. */
export class DataSet {
  readonly #files: readonly DataFile[];
  readonly #columns: readonly (readonly { readonly input: ModelInput; readonly array: StoredArray }[])[];
  readonly #places: readonly BatchPlace[];
  /** How many samples are in the batches, and in all of the data. */
  readonly samples: number;
  readonly totalSamples: number;
  /** What tells this data, cut into these batches, from other data. */
  readonly fingerprint: string;

  private constructor(files: readonly DataFile[], inputs: readonly ModelInput[], options: DataSetOptions) {
    this.#files = files;
    this.#columns = files.map((file) => inputs.map((input) => ({ input, array: arrayFor(file, input, inputs.length, options.arrays) })));
    const fixed = inputs.map(({ batch }) => batch).find((size) => size !== null);
    const size = options.batchSize ?? fixed ?? USUAL_BATCH;
    const all = this.#columns.flatMap((columns, file) => placesOf(rowsOf(files[file], columns), file, size));
    const { index, of } = options.shard ?? { index: 1, of: 1 };
    this.#places = all.filter((_, k) => k % of === index - 1);
    const count = (places: readonly BatchPlace[]): number => places.reduce((sum, { from, to }) => sum + to - from, 0);
    this.samples = count(this.#places);
    this.totalSamples = count(all);
    const shapes = files.map(({ name }, k) => [name, ...this.#columns[k].map(({ array }) => array.shape)]);
    this.fingerprint = createHash("sha256").update(JSON.stringify({ size, shapes })).digest("hex").slice(0, 16);
  }

  static async open(model: OnnxModel, paths: readonly string[], options: DataSetOptions): Promise<DataSet> {
    const files: DataFile[] = [];
    try {
      for (const path of paths) files.push(await openDataFile(path));
      return new DataSet(files, modelInputs(model), options);
    } catch (error) {
      for (const file of files) await file.close();
      throw error;
    }
  }

  /** How many batches there are. */
  get length(): number {
    return this.#places.length;
  }

  async *batches(ort: Runtime): AsyncGenerator<Feeds> {
    for (const { file, from, to } of this.#places) {
      const feeds: Record<string, Feeds[string]> = {};
      for (const { input, array } of this.#columns[file]) {
        feeds[input.name] = tensorFor(ort, input, await array.rows(from, to), [to - from, ...array.shape.slice(1)]);
      }
      yield feeds;
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

/** The array for an input: the one that was named, the one of its name, or the only one for the only input. */
function arrayFor({ name, arrays }: DataFile, input: ModelInput, inputs: number, named?: ReadonlyMap<string, string>): StoredArray {
  const wanted = named?.get(input.name);
  // The array of a .npy file has no name, so a name that was given is not about it.
  const only = inputs === 1 && arrays.size === 1 && (wanted === undefined || arrays.has("")) ? [...arrays.values()][0] : undefined;
  const array = arrays.get(wanted ?? input.name) ?? only;
  if (array !== undefined) return array;
  const keys = [...arrays.keys()].join(", ");
  throw wrongUse(`${name} has no array for the model's input ${input.name}`, keys, `one of that name, or --array ${input.name}=NAME`);
}

function rowsOf({ name }: DataFile, columns: readonly { readonly array: StoredArray }[]): number {
  const counts = columns.map(({ array }) => array.shape[0] ?? 0);
  if (columns.some(({ array }) => array.shape.length === 0))
    throw wrongUse(`${name} has no rows`, "a single number", "an array of samples");
  if (counts.some((count) => count !== counts[0])) throw wrongUse(`The arrays of ${name} differ in their rows`, counts, "as many in each");
  return counts[0] ?? 0;
}

function placesOf(rows: number, file: number, size: number): BatchPlace[] {
  return Array.from({ length: Math.ceil(rows / size) }, (_, k) => ({ file, from: k * size, to: Math.min(rows, (k + 1) * size) }));
}
