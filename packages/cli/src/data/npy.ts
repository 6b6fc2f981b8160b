import { invalidFile } from "../status.ts";
import { type ReadBytes, type StoredArray, storedArray } from "./array.ts";
import { isNumberType } from "./numbers.ts";

/** Every .npy file begins so. */
export const NPY_MAGIC = "\x93NUMPY";

/** No header of an array of numbers is longer. */
const LONGEST_HEADER = 2 ** 16;

/**
 * An array in NumPy's format, versions 1 to 3. No maintained package reads it with checks; the format's whole text fits these lines.
 *
 * Source: NumPy, `numpy.lib.format`.
 *
 * @throws BatchNormError `invalid-file` for anything else, and for objects, which are pickled: a pickle is a program, not data.
 */
export async function readNpy(name: string, size: number, read: ReadBytes): Promise<StoredArray> {
  const start = await read(0, Math.min(size, 12));
  if (size < 12 || text(start.subarray(0, 6)) !== NPY_MAGIC) throw invalidFile(`${name} is no NumPy array`, `${size} bytes`, "a .npy file");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const isFirst = view.getUint8(6) === 1;
  const length = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  const from = isFirst ? 10 : 12;
  if (length > LONGEST_HEADER || from + length > size) throw invalidFile(`The header of ${name} is too long`, length, "that of an array");
  const header = text(await read(from, length));
  const descr = /'descr': *'([<>|=])([a-zA-Z]\d+)'/.exec(header);
  const order = /'fortran_order': *(True|False)/.exec(header);
  const dims = /'shape': *\(([\d, ]*)\)/.exec(header);
  if (descr === null || order === null || dims === null || !isNumberType(descr[2])) {
    throw invalidFile(`The array ${name} is not of a type that is read`, header.trim().slice(0, 80), "numbers, not objects or records");
  }
  const shape = dims[1]
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const place = { shape, type: descr[2], littleEndian: descr[1] !== ">", columns: order[1] === "True", offset: from + length };
  return storedArray(name, place, size, read);
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
