import { invalidFile } from "../status.ts";
import { bytesPerNumber, decode, fromColumns, type NumberType, sizeOf } from "./numbers.ts";

/** Reads bytes of a file or of memory. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

/** An array in a file: its rows, the entries of its first axis, are read when they are asked for. */
export interface StoredArray {
  readonly shape: readonly number[];
  rows(from: number, to: number): Promise<Float64Array>;
}

export interface ArrayPlace {
  readonly shape: readonly number[];
  readonly type: NumberType;
  readonly littleEndian: boolean;
  /** Whether it lies column by column, as Fortran has it. */
  readonly columns: boolean;
  readonly offset: number;
}

/** @throws BatchNormError `invalid-file` where the file is shorter than the array. */
export function storedArray(name: string, place: ArrayPlace, size: number, read: ReadBytes): StoredArray {
  const { shape, type, littleEndian, columns, offset } = place;
  const bytes = sizeOf(shape) * bytesPerNumber(type);
  if (!Number.isSafeInteger(bytes) || offset + bytes > size) {
    throw invalidFile(`The array ${name} does not fit its file`, `${bytes} bytes at ${offset}`, `at most ${size}`);
  }
  const rowSize = sizeOf(shape.slice(1));
  const take = async (from: number, count: number): Promise<Float64Array> => {
    const width = bytesPerNumber(type);
    return decode(await read(offset + from * width, count * width), type, littleEndian);
  };
  if (!columns) return { shape, rows: (from, to) => take(from * rowSize, (to - from) * rowSize) };
  let all: Promise<Float64Array> | null = null;
  return {
    shape,
    rows: async (from, to) => {
      all ??= take(0, sizeOf(shape)).then((values) => fromColumns(values, shape));
      return (await all).subarray(from * rowSize, to * rowSize);
    },
  };
}
