import { type HalfDType, widened } from "./half.ts";

/** A tensor of a safetensors file: a copy of its part of the file. Half precision comes as the float32 numbers that it stands for. */
export interface StoredTensor {
  readonly data: Float32Array | Float64Array | Uint8Array;
  readonly shape: readonly number[];
  /** What the file has, where that is half precision. */
  readonly dtype?: HalfDType;
}

/**
 * Reads the five dtypes that the vectors use from a safetensors file: 8 bytes of header length, a JSON header, the data,
 * all little-endian. No maintained package reads this format in browsers; the format's whole text fits these lines.
 * Source: https://github.com/huggingface/safetensors, "Format".
 *
 * @throws Error when the header does not describe the bytes.
 */
export function parseSafetensors(bytes: Uint8Array): Map<string, StoredTensor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<string, HeaderEntry>;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = entry.data_offsets;
    const Type = TYPES[entry.dtype];
    if (Type === undefined)
      throw new Error(`safetensors: ${name} has the dtype ${entry.dtype}, expected one of ${Object.keys(TYPES).join(", ")}.`);
    const size = entry.shape.reduce((product, dimension) => product * dimension, 1);
    if (to - from !== size * Type.BYTES_PER_ELEMENT || start + to > bytes.byteLength) {
      throw new Error(`safetensors: ${name} has ${to - from} bytes, expected ${size * Type.BYTES_PER_ELEMENT} inside the file.`);
    }
    // Not bytes.slice: on Node's Buffer that is a view of the whole file.
    const data = bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to);
    const array = new Type(data as ArrayBuffer);
    const dtype = HALVES[entry.dtype];
    tensors.set(
      name,
      array instanceof Uint16Array ? { data: widened(array, dtype), shape: entry.shape, dtype } : { data: array, shape: entry.shape },
    );
  }
  return tensors;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const TYPES: Readonly<Record<string, typeof Float32Array | typeof Float64Array | typeof Uint8Array | typeof Uint16Array>> = {
  F32: Float32Array,
  F64: Float64Array,
  BOOL: Uint8Array,
  F16: Uint16Array,
  BF16: Uint16Array,
};

const HALVES: Readonly<Record<string, HalfDType>> = { F16: "float16", BF16: "bfloat16" };
