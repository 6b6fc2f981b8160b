import { isObject, parseObject } from "../container/json.ts";
import { invalidFile } from "../errors.ts";
import { BYTES_PER_NUMBER, type NumberType, type StoredTensor } from "../tensor.ts";

/** The format's own limit on its header. */
const MAX_HEADER = 100_000_000;

const NUMBER_TYPES: Readonly<Record<string, NumberType>> = { F16: "float16", BF16: "bfloat16", F32: "float32", F64: "float64" };

/** Bytes of the other types of the format, as far as they are whole bytes; a type that is not known here is left alone. */
const OTHER_SIZES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  I32: 4,
  U32: 4,
  I64: 8,
  U64: 8,
  C64: 8,
};

/**
 * The tensors of a safetensors file, by name: eight bytes with the length of the header, the header in JSON, the data.
 *
 * Source: https://github.com/huggingface/safetensors, "Format", which wants every byte of the data in exactly one tensor.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function readSafetensors(bytes: Uint8Array): Map<string, StoredTensor> {
  const length = headerLength(bytes);
  if (length === null)
    throw invalidFile("The file is not safetensors", bytes.subarray(0, 8), "the length of a header that lies in the file");
  const start = 8 + length;
  const header = parseObject("The header of the safetensors file", bytes.subarray(8, start));
  const tensors = new Map<string, StoredTensor>();
  const ranges: { name: string; from: number; to: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, from, to } = readEntry(name, entry);
    ranges.push({ name, from, to });
    const type = Object.hasOwn(NUMBER_TYPES, dtype) ? NUMBER_TYPES[dtype] : null;
    tensors.set(name, { path: name, shape, type, typeName: type ?? dtype, bytes: () => bytes.subarray(start + from, start + to) });
  }
  checkRanges(ranges, bytes.byteLength - start);
  return tensors;
}

/** The length of the header; null where it does not lie in the file, or the file does not begin like safetensors. */
export function headerLength(bytes: Uint8Array): number | null {
  if (bytes.byteLength < 10) return null;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
  return length >= 2 && length <= Math.min(MAX_HEADER, bytes.byteLength - 8) && bytes[8] === 0x7b ? length : null;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

function readEntry(name: string, entry: unknown): Entry {
  const what = `The tensor ${name.slice(0, 80)}`;
  if (!isObject(entry)) throw invalidFile(`${what} is not described`, entry, "dtype, shape and data_offsets");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") throw invalidFile(`${what} has no dtype`, dtype, "a name such as F32");
  if (!isSizes(shape)) throw invalidFile(`${what} has no shape`, shape, "a list of dimensions");
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw invalidFile(`${what} has no place in the file`, offsets, "two ascending data_offsets");
  }
  const [from, to] = offsets;
  const size = sizeOf(dtype);
  const wanted = shape.reduce((product, dimension) => product * dimension, size ?? 0);
  if (size !== null && to - from !== wanted)
    throw invalidFile(`The data of ${name.slice(0, 80)} does not fill its shape`, to - from, `${wanted} bytes`);
  return { dtype, shape, from, to };
}

function sizeOf(dtype: string): number | null {
  if (Object.hasOwn(NUMBER_TYPES, dtype)) return BYTES_PER_NUMBER[NUMBER_TYPES[dtype]];
  return Object.hasOwn(OTHER_SIZES, dtype) ? OTHER_SIZES[dtype] : null;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

function checkRanges(ranges: { name: string; from: number; to: number }[], length: number): void {
  let end = 0;
  for (const { name, from, to } of ranges.sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw invalidFile(`The data of ${name.slice(0, 80)} overlaps or leaves a gap`, from, `a begin at ${end}`);
    end = to;
  }
  if (end !== length) throw invalidFile("The data of the safetensors file has another length", length, `${end} bytes`);
}
