import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { OnnxModel } from "@batchnorm/onnx-model";
import type { Feeds, Runtime } from "@batchnorm/onnx-model/execute";
import { BatchNormError } from "@batchnorm/spec";
import { messageOf } from "../files.ts";
import { invalidFile } from "../status.ts";
import { type DataSource, isInShard, type ShardOfBatches, WHOLE } from "./data-source.ts";
import { type ModelInput, modelInputs, tensorFor } from "./model-inputs.ts";
import { sizeOf } from "./numbers.ts";

type BatchIterable = Iterable<unknown> | AsyncIterable<unknown>;
type Source = BatchIterable | (() => unknown);

const EXPECTED = "a default export that is an (async) iterable of batches, or a function that returns one";

export function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/**
 * Data out of a module of the user: its default export gives the batches. A batch has an array for each input by its name,
 * `{ image: { data, shape } }`, or is that array itself where the model has one input.
 */
export class BatchModule implements DataSource {
  readonly length: null = null;
  readonly fingerprint: string;
  readonly #name: string;
  readonly #source: Source;
  readonly #inputs: readonly ModelInput[];
  readonly #shard: ShardOfBatches;
  #passes = 0;
  #counts: { readonly samples: number; readonly totalSamples: number } = { samples: 0, totalSamples: 0 };

  private constructor(name: string, fingerprint: string, source: Source, model: OnnxModel, shard: ShardOfBatches) {
    this.#name = name;
    this.fingerprint = fingerprint;
    this.#source = source;
    this.#inputs = modelInputs(model);
    this.#shard = shard;
  }

  /** @throws BatchNormError `invalid-file` for a module that cannot be loaded or gives no batches. */
  static async open(model: OnnxModel, path: string, shard: ShardOfBatches = WHOLE): Promise<BatchModule> {
    const name = basename(path);
    let text: Buffer;
    let loaded: { readonly default?: unknown };
    try {
      text = await readFile(path);
      loaded = await import(pathToFileURL(resolve(path)).href);
    } catch (cause) {
      throw invalidFile(`The module ${name} could not be loaded`, messageOf(cause).slice(0, 200), "a module of this Node", cause);
    }
    const source = loaded.default;
    if (typeof source !== "function" && !isIterable(source)) throw invalidFile(`${name} gives no batches`, source, EXPECTED);
    const fingerprint = createHash("sha256").update(name).update(text).digest("hex").slice(0, 16);
    return new BatchModule(name, fingerprint, source as Source, model, shard);
  }

  async *batches(ort: Runtime): AsyncGenerator<Feeds> {
    let [batch, samples, totalSamples] = [0, 0, 0];
    for await (const given of await this.#begin()) {
      const columns = this.#columnsOf(given, batch);
      const rows = columns[0]?.shape[0] ?? 0;
      totalSamples += rows;
      if (isInShard(batch++, this.#shard)) {
        samples += rows;
        const feeds: Record<string, Feeds[string]> = {};
        for (const { input, data, shape } of columns) feeds[input.name] = tensorFor(ort, input, data, shape);
        yield feeds;
      }
    }
    this.#counts = { samples, totalSamples };
  }

  counts(): { readonly samples: number; readonly totalSamples: number } {
    return this.#counts;
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /** The batches from the first one on; the module's own errors get its name. */
  async #begin(): Promise<AsyncIterable<unknown>> {
    const name = this.#name;
    this.#passes += 1;
    const source = this.#source;
    let iterable: unknown;
    try {
      iterable = typeof source === "function" ? await source() : source;
    } catch (cause) {
      throw invalidFile(`${name} failed`, messageOf(cause).slice(0, 200), "batches", cause);
    }
    if (!isIterable(iterable)) throw invalidFile(`${name} gives no batches`, iterable, EXPECTED);
    // A generator is at its end after one pass; a list begins anew.
    if (this.#passes > 1 && typeof source !== "function" && "next" in source) {
      throw invalidFile(`The batches of ${name} can be read once`, "a generator", "a function that begins anew, for --rounds exact");
    }
    return named(name, iterable);
  }

  #columnsOf(given: unknown, batch: number): readonly { input: ModelInput; data: Float32Array | Float64Array; shape: number[] }[] {
    const refuse = (what: string, received: unknown, expected: string): never => {
      throw new BatchNormError("invalid-argument", `Batch ${batch + 1} of ${this.#name}: ${what}`, received, expected);
    };
    if (typeof given !== "object" || given === null) return refuse("it is no batch", given, "arrays by the names of inputs");
    const isBare = this.#inputs.length === 1 && "data" in given && ("shape" in given || "dims" in given);
    const arrays = (isBare ? { [this.#inputs[0].name]: given } : given) as Readonly<Record<string, unknown>>;
    const columns = this.#inputs.map((input) => {
      const array = arrays[input.name];
      if (typeof array !== "object" || array === null) {
        return refuse(`there is no array for the model's input ${input.name}`, Object.keys(arrays).join(", "), "{ data, shape }");
      }
      const { data, shape, dims } = array as { readonly data?: unknown; readonly shape?: unknown; readonly dims?: unknown };
      const sizes = shape ?? dims;
      if (!isSizes(sizes)) return refuse(`the shape of ${input.name} is wrong`, sizes, "sizes, the samples first");
      const numbers = numbersOf(data);
      if (numbers === null) return refuse(`the data of ${input.name} is wrong`, data, "a typed array or a list of numbers");
      if (numbers.length !== sizeOf(sizes)) {
        return refuse(`the data of ${input.name} does not fill its shape`, numbers.length, `${sizeOf(sizes)} numbers`);
      }
      return { input, data: numbers, shape: [...sizes] };
    });
    const rows = columns.map(({ shape }) => shape[0]);
    if (rows.some((count) => count !== rows[0])) refuse("its arrays differ in their samples", rows, "as many in each");
    return columns;
  }
}

async function* named(name: string, iterable: BatchIterable): AsyncGenerator<unknown> {
  try {
    yield* iterable;
  } catch (cause) {
    throw invalidFile(`${name} failed`, messageOf(cause).slice(0, 200), "batches", cause);
  }
}

function isIterable(value: unknown): value is BatchIterable {
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function numbersOf(data: unknown): Float32Array | Float64Array | null {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  const isList = Array.isArray(data) && data.every((value) => typeof value === "number");
  if (!isList && (!ArrayBuffer.isView(data) || data instanceof DataView)) return null;
  return Float64Array.from(data as ArrayLike<number>);
}
