import { invalidFile } from "../status.ts";
import { type ReadBytes, type StoredArray, storedArray } from "./array.ts";
import { bytesPerNumber, type NumberType, sizeOf } from "./numbers.ts";

const TYPES: Readonly<Record<string, NumberType>> = {
  F16: "f2",
  F32: "f4",
  F64: "f8",
  I8: "i1",
  I16: "i2",
  I32: "i4",
  I64: "i8",
  U8: "u1",
  U16: "u2",
  U32: "u4",
  U64: "u8",
  BOOL: "b1",
};

/** What the format itself allows. */
const LONGEST_HEADER = 100_000_000;

/**
 * The arrays of a safetensors file: 8 bytes of length, a header in JSON, the data.
 *
 * @throws BatchNormError `invalid-file` for a header that does not describe the file.
 */
export async function readSafetensors(name: string, size: number, read: ReadBytes): Promise<ReadonlyMap<string, StoredArray>> {
  const start = await read(0, 8);
  const length = Number(new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > size)
    throw invalidFile(`The header of ${name} is too long`, length, `at most ${size - 8} bytes`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await read(8, length)));
  } catch (cause) {
    throw invalidFile(`The header of ${name} is not JSON`, `${length} bytes`, "a safetensors file", cause);
  }
  const arrays = new Map<string, StoredArray>();
  for (const [key, entry] of Object.entries((header ?? {}) as Record<string, Record<string, unknown> | null>)) {
    if (key === "__metadata__") continue;
    const { dtype, shape, data_offsets: offsets } = entry ?? {};
    const type = typeof dtype === "string" ? TYPES[dtype] : undefined;
    const isCounts = (value: unknown): value is number[] =>
      Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
    // A type that is not read does no harm as long as nobody asks for it.
    if (type === undefined) continue;
    if (
      !isCounts(shape) ||
      !isCounts(offsets) ||
      offsets.length !== 2 ||
      offsets[1] - offsets[0] !== sizeOf(shape) * bytesPerNumber(type)
    ) {
      throw invalidFile(`The array ${key} of ${name} does not fill its shape`, offsets, "offsets that fit the shape");
    }
    arrays.set(key, storedArray(key, { shape, type, littleEndian: true, columns: false, offset: 8 + length + offsets[0] }, size, read));
  }
  return arrays;
}
