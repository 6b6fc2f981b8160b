import { createHash } from "node:crypto";
import type { OnnxModel } from "@batchnorm/onnx-model";
import type { Feeds, Runtime } from "@batchnorm/onnx-model/execute";
import { wrongUse } from "../status.ts";
import type { StoredArray } from "./array.ts";
import { type DataFile, openDataFile } from "./data-file.ts";
import { type DataSource, isInShard, type ShardOfBatches, WHOLE } from "./data-source.ts";
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
  readonly shard?: ShardOfBatches;
}

const USUAL_BATCH = 32;

/** By file, the array for each input. */
type Columns = readonly (readonly { readonly input: ModelInput; readonly array: StoredArray }[])[];

/** Data for a model out of files, in batches. */
export class DataSet implements DataSource {
  readonly #files: readonly DataFile[];
  readonly #columns: Columns;
  readonly #places: readonly BatchPlace[];
  readonly #counts: { readonly samples: number; readonly totalSamples: number };
  readonly fingerprint: string;

  private constructor(files: readonly DataFile[], columns: Columns, options: DataSetOptions, size: number, print: string) {
    this.#files = files;
    this.#columns = columns;
    const all = columns.flatMap((each, file) => placesOf(rowsOf(files[file], each), file, size));
    this.#places = all.filter((_, k) => isInShard(k, options.shard ?? WHOLE));
    const count = (places: readonly BatchPlace[]): number => places.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#counts = { samples: count(this.#places), totalSamples: count(all) };
    this.fingerprint = print;
  }

  static async open(model: OnnxModel, paths: readonly string[], options: DataSetOptions): Promise<DataSet> {
    const files: DataFile[] = [];
    try {
      for (const path of paths) files.push(await openDataFile(path));
      const inputs = modelInputs(model);
      const columns = files.map((file) => inputs.map((input) => ({ input, array: arrayFor(file, input, inputs.length, options.arrays) })));
      for (const [k, each] of columns.entries()) rowsOf(files[k], each);
      const fixed = inputs.map(({ batch }) => batch).find((size) => size !== null);
      const size = options.batchSize ?? fixed ?? USUAL_BATCH;
      return new DataSet(files, columns, options, size, await fingerprintOf(files, columns, size));
    } catch (error) {
      for (const file of files) await file.close();
      throw error;
    }
  }

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

  counts(): { readonly samples: number; readonly totalSamples: number } {
    return this.#counts;
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

/** Names, shapes, and the first and last row of each array: data that was exchanged for other data of its shape shows. */
async function fingerprintOf(files: readonly DataFile[], columns: Columns, size: number): Promise<string> {
  const hash = createHash("sha256").update(`${size}`);
  for (const [k, { name }] of files.entries()) {
    for (const { input, array } of columns[k]) {
      hash.update(JSON.stringify([name, input.name, array.shape]));
      const last = array.shape[0] - 1;
      for (const row of last < 0 ? [] : [0, last]) hash.update(Float64Array.from(await array.rows(row, row + 1)));
    }
  }
  return hash.digest("hex").slice(0, 16);
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
