import type { BatchNormError } from "@batchnorm/spec";
import { type ReadCompanion, readCompanionFile } from "../container/companion.ts";
import { isObject, type JsonObject } from "../container/json.ts";
import { invalidFile } from "../errors.ts";
import type { NumberType, StoredTensor } from "../tensor.ts";
import { SplitBytes } from "./split-bytes.ts";

/** Bytes per element of tfjs's dtypes but string, whose elements have their lengths before them. */
const SIZES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8 };
const QUANTIZED_SIZES: Readonly<Record<string, number>> = { uint8: 1, uint16: 2, float16: 2 };

/**
 * The weights of a tfjs model, by name: each group of the manifest lists files, whose bytes follow each other, and the weights in them.
 *
 * Source: tfjs-core 4.22, `io_utils.decodeWeights`.
 *
 * @throws BatchNormError `invalid-file`, `invalid-argument`.
 */
export async function readManifest(manifest: unknown, read: ReadCompanion | undefined): Promise<Map<string, StoredTensor>> {
  if (!Array.isArray(manifest)) throw invalidFile("The model has no weightsManifest", manifest, "a list of groups");
  const tensors = new Map<string, StoredTensor>();
  for (const group of manifest as unknown[]) {
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      throw invalidFile("A group of the weightsManifest is incomplete", group, "an object with the lists paths and weights");
    }
    const parts: Uint8Array[] = [];
    for (const path of group.paths as unknown[]) parts.push(await readCompanionFile(read, path));
    readWeights(group.weights as unknown[], new SplitBytes(parts), tensors);
  }
  return tensors;
}

function readWeights(weights: readonly unknown[], data: SplitBytes, tensors: Map<string, StoredTensor>): void {
  let offset = 0;
  for (const weight of weights) {
    const spec = checkSpec(weight);
    const { name } = spec;
    const start = offset;
    const length = spec.size === null ? stringLength(data, start, spec.count) : spec.count * spec.size;
    if (!(start + length <= data.length))
      throw invalidFile(`The data of ${spec.name} is missing`, data.length, `${start + length} bytes or more`);
    if (tensors.has(name)) throw invalidFile("The model has a weight twice", name, "names that differ");
    tensors.set(name, { ...spec, path: name, bytes: () => spec.widen(data.slice(start, start + length)) });
    offset = start + length;
  }
  if (offset !== data.length) throw invalidFile("The files of the weights have another length", data.length, `${offset} bytes`);
}

interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  /** Null for strings. */
  readonly size: number | null;
  readonly type: NumberType | null;
  readonly typeName: string;
  readonly widen: (bytes: Uint8Array) => Uint8Array;
}

function checkSpec(weight: unknown): WeightSpec {
  if (!isObject(weight) || typeof weight.name !== "string" || typeof weight.dtype !== "string") {
    throw invalidFile("A weight of the manifest is not described", weight, "an object with name, shape and dtype");
  }
  const { name, dtype, shape } = weight;
  if (!Array.isArray(shape) || !shape.every((each) => Number.isSafeInteger(each) && each >= 0)) {
    throw invalidFile(`The weight ${name.slice(0, 80)} has no shape`, shape, "a list of dimensions");
  }
  const count = (shape as number[]).reduce((product, dimension) => product * dimension, 1);
  const common = { name, shape: shape as number[], count, widen: (bytes: Uint8Array) => bytes };
  if (weight.quantization !== undefined) return { ...common, ...quantized(name, dtype, weight.quantization) };
  if (dtype === "string") return { ...common, size: null, type: null, typeName: dtype };
  if (!Object.hasOwn(SIZES, dtype))
    throw invalidFile(`The weight ${name.slice(0, 80)} has an unknown dtype`, dtype, Object.keys(SIZES).join(", "));
  return { ...common, size: SIZES[dtype], type: dtype === "float32" ? "float32" : null, typeName: dtype };
}

/** What a quantized number stands for is what tfjs makes of it: scale and min in float64, and the result rounded to float32. */
function quantized(name: string, dtype: string, quantization: unknown): Omit<WeightSpec, "name" | "shape" | "count"> & JsonObject {
  const wrong = (expected: string): BatchNormError =>
    invalidFile(`The quantization of ${name.slice(0, 80)} is unknown`, quantization, expected);
  if (!isObject(quantization) || typeof quantization.dtype !== "string" || !Object.hasOwn(QUANTIZED_SIZES, quantization.dtype)) {
    throw wrong(Object.keys(QUANTIZED_SIZES).join(", "));
  }
  const { dtype: stored, scale, min } = quantization;
  const size = QUANTIZED_SIZES[stored];
  const same = (bytes: Uint8Array): Uint8Array => bytes;
  if (dtype !== "float32") return { size, type: null, typeName: `${dtype} as ${stored}`, widen: same };
  if (stored === "float16") return { size, type: "float16", typeName: "float16", widen: same };
  if (typeof scale !== "number" || typeof min !== "number") throw wrong("numbers scale and min");
  const widen = (bytes: Uint8Array): Uint8Array => {
    const values = stored === "uint8" ? bytes : new Uint16Array(new Uint8Array(bytes).buffer);
    return new Uint8Array(Float32Array.from(values, (value) => value * scale + min).buffer);
  };
  return { size, type: "float32", typeName: `${stored}, quantized`, widen };
}

function stringLength(data: SplitBytes, start: number, count: number): number {
  let offset = start;
  for (let index = 0; index < count; index++) {
    const bytes = data.slice(offset, offset + 4);
    offset += 4 + new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }
  return offset - start;
}
