import { isBatchNormError } from "@batchnorm/spec";
import { invalidFile, quoted } from "../errors.ts";
import { EXTERNAL, type TensorProto } from "../proto/index.ts";
import { elementTypeInfo } from "../tensor/element-type.ts";
import { dimsOf, rawLength, sizeOf } from "../tensor/tensor-check.ts";

/**
 * `length` bytes from `offset` on of a file beside the model. `path` is relative to the model's folder, with `/`, and
 * does not leave it.
 */
export type ExternalReader = (path: string, offset: number, length: number) => Uint8Array | Promise<Uint8Array>;

/** What a browser has of a file: a Blob, or a File. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** The files beside the model by their paths, whole or as blobs, of which only the needed parts are read. */
export type ExternalFiles = Readonly<Record<string, Uint8Array | BlobLike>>;

/** Where a tensor's data is. */
export interface ExternalPlace {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Where the data of a tensor with external data is.
 *
 * @throws BatchNormError `invalid-file` for a path that leaves the model's folder, an offset or a length that
 * is no number, a length that does not fit the dimensions.
 */
export function externalPlace(tensor: TensorProto): ExternalPlace {
  const what = `The external data of the tensor ${quoted(tensor.name)}`;
  const entry = (key: string): string | undefined => tensor.externalData.findLast((each) => each.key === key)?.value;
  const number = (key: string): number | undefined => {
    const text = entry(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw invalidFile(`${what} has a wrong ${key}`, text, "a number of bytes");
    }
    return value;
  };
  const location = entry("location");
  if (location === undefined) throw invalidFile(`${what} has no location`, "no location", "the path of a file beside the model");
  const path = checkPath(what, location);
  const offset = number("offset") ?? 0;
  const declared = number("length");
  const bits = elementTypeInfo(tensor.dataType)?.bits ?? null;
  if (bits === null) {
    if (elementTypeInfo(tensor.dataType) === null && declared !== undefined) return { path, offset, length: declared };
    throw invalidFile(`${what} is of a type that cannot be outside`, tensor.dataType, "a type of a fixed size");
  }
  const length = rawLength(sizeOf(dimsOf(tensor)), bits);
  if (declared !== undefined && declared !== length) {
    throw invalidFile(`${what} does not fill the dimensions`, `${declared} bytes`, `${length}`);
  }
  return { path, offset, length };
}

/**
 * A relative path that stays inside, on every system: with both kinds of slash, drives, and what ends a string in C.
 */
function checkPath(what: string, location: string): string {
  const parts = location.split(/[/\\]/);
  const outside = location === "" || parts[0] === "" || /^[a-z]:|:\/\/|\0/i.test(location) || parts.includes("..");
  const path = parts.filter((part) => part !== "" && part !== ".").join("/");
  if (outside || path === "") throw invalidFile(`${what} would leave the model's folder`, location, "a relative path without ..");
  return path;
}

/** By its tag, which is the same in every realm, where `instanceof` is not. A Buffer has it, too. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

/** The bytes of tensors in other files, each read once and only when asked for. */
export class ExternalData {
  readonly #read: ExternalReader | null;
  readonly #loaded = new WeakMap<TensorProto, Uint8Array>();
  readonly #wanted = new Set<TensorProto>();

  constructor(read: ExternalReader | null) {
    this.#read = read;
  }

  /** The raw bytes of a tensor, or null for one that has to be loaded first; it is then noted as wanted. */
  bytes(tensor: TensorProto): Uint8Array | null {
    if (tensor.dataLocation !== EXTERNAL) return tensor.rawData;
    const loaded = this.#loaded.get(tensor);
    if (loaded === undefined) this.#wanted.add(tensor);
    return loaded ?? null;
  }

  /** Whether something was asked for in vain. */
  get isWanting(): boolean {
    return this.#wanted.size > 0;
  }

  /**
   * Loads what was asked for in vain. Returns whether there was anything.
   *
   * @throws BatchNormError `invalid-file` without a reader, or where it fails or gives another number of
   * bytes.
   */
  async load(): Promise<boolean> {
    const tensors = [...this.#wanted];
    this.#wanted.clear();
    // One after the other: a model of 2 GB may ask for all of its weights.
    for (const tensor of tensors) this.#loaded.set(tensor, await this.#fetch(tensor));
    return tensors.length > 0;
  }

  async #fetch(tensor: TensorProto): Promise<Uint8Array> {
    const { path, offset, length } = externalPlace(tensor);
    if (this.#read === null) {
      throw invalidFile(`The tensor ${quoted(tensor.name)} is in another file`, path, "a model that was read with `external`");
    }
    let bytes: unknown;
    try {
      bytes = length === 0 ? new Uint8Array() : await this.#read(path, offset, length);
    } catch (cause) {
      if (isBatchNormError(cause)) throw cause;
      throw invalidFile(`The file ${quoted(path)} could not be read`, cause instanceof Error ? cause.message : cause, "its bytes", cause);
    }
    if (!isUint8Array(bytes)) throw invalidFile(`The reader of ${quoted(path)} gave no bytes`, bytes, "a Uint8Array");
    if (bytes.length !== length) {
      throw invalidFile(`The file ${quoted(path)} has not what it should`, `${bytes.length} bytes from ${offset} on`, `${length}`);
    }
    return bytes;
  }
}

/** A reader of files that are at hand. */
export function readerOf(files: ExternalFiles): ExternalReader {
  return async (path, offset, length) => {
    if (!Object.hasOwn(files, path))
      throw invalidFile("A file beside the model is missing", path, Object.keys(files).join(", ") || "files");
    const file = files[path];
    if (isUint8Array(file)) return file.subarray(offset, offset + length);
    return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
  };
}
