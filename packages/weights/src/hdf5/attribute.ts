import { unsupportedFormat } from "../errors.ts";
import { Cursor, type FileBytes } from "./cursor.ts";
import { elementCount, readShape } from "./dataspace.ts";
import { readDatatype } from "./datatype.ts";
import type { GlobalHeap } from "./global-heap.ts";
import { MESSAGE, type Message } from "./object-header.ts";

/**
 * The texts in an attribute of an object; null where it has no such attribute, or one that is not text.
 *
 * Source: HDF5 File Format Specification 3.0, IV.A.2.m.
 *
 * @throws BatchNormError `invalid-file`; `unsupported-format` where attributes lie outside of the object header.
 */
export function readTextAttribute(file: FileBytes, heap: GlobalHeap, messages: readonly Message[], wanted: string): string[] | null {
  for (const message of messages) {
    if (message.type === MESSAGE.attributeInfo) {
      throw unsupportedFormat(
        "The HDF5 file has attributes outside of object headers",
        "attribute info",
        "what h5py writes without libver",
      );
    }
    if (message.type !== MESSAGE.attribute || message.shared) continue;
    const cursor = new Cursor(file, "An attribute", message.start, message.length);
    const version = cursor.version(1, 2, 3);
    // The sizes of version 1 leave out the padding to multiples of 8 that follows each part.
    const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    const flags = cursor.uint8();
    const sizes = { name: cursor.uint16(), datatype: cursor.uint16(), dataspace: cursor.uint16() };
    if (version === 3) cursor.take(1);
    if (readText(cursor.bytes(padded(sizes.name))) !== wanted) continue;
    if (version !== 1 && flags !== 0) return null; // The datatype or the dataspace is shared: nothing that Keras writes.
    const datatypeAt = cursor.take(padded(sizes.datatype));
    const datatype = readDatatype(new Cursor(file, "A datatype", datatypeAt, sizes.datatype));
    const shape = readShape(new Cursor(file, "A dataspace", cursor.take(padded(sizes.dataspace)), sizes.dataspace));
    if (datatype.kind === "text") return readAll(cursor, shape, datatype.size, () => readText(cursor.bytes(datatype.size)));
    if (datatype.kind === "text-in-heap") return readAll(cursor, shape, 16, () => readText(heap.read(cursor)));
    return null;
  }
  return null;
}

function readAll(cursor: Cursor, shape: readonly number[], size: number, read: () => string): string[] {
  const count = elementCount(shape);
  // Asks for all at once first, so that a huge shape makes no array; elements of size 0 would let any number pass.
  new Cursor(cursor.file, "An attribute", cursor.offset, count * Math.max(size, 1));
  return Array.from({ length: count }, read);
}

/** UTF-8, of which ASCII is a part; up to the first zero. */
function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
