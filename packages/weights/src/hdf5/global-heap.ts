import { invalidFile } from "../errors.ts";
import { Cursor, type FileBytes } from "./cursor.ts";

/** Where the texts of variable length lie. Each collection is read once. */
export class GlobalHeap {
  readonly #file: FileBytes;
  readonly #collections = new Map<number, ReadonlyMap<number, Uint8Array>>();

  constructor(file: FileBytes) {
    this.#file = file;
  }

  /**
   * The bytes that a length, the address of a collection and an index in it point to.
   *
   * @throws BatchNormError `invalid-file`.
   */
  read(cursor: Cursor): Uint8Array {
    const length = cursor.uint32();
    const address = cursor.uint64();
    const index = cursor.uint32();
    // An empty text has no object.
    if (length === 0) return new Uint8Array(0);
    let objects = this.#collections.get(address);
    if (objects === undefined) {
      objects = readCollection(this.#file, address);
      this.#collections.set(address, objects);
    }
    const bytes = objects.get(index);
    if (bytes === undefined || bytes.length < length) {
      throw invalidFile("A text of the HDF5 file is not in its global heap", index, `an object of at least ${length} bytes`);
    }
    this.#file.spend("A text", bytes.byteOffset - this.#file.bytes.byteOffset, length);
    return bytes.subarray(0, length);
  }
}

/** Source: HDF5 File Format Specification 3.0, III.E. */
function readCollection(file: FileBytes, address: number): Map<number, Uint8Array> {
  const header = new Cursor(file, "A global heap", address, 16);
  header.signature("GCOL");
  header.version(1);
  header.take(3);
  const length = header.uint64();
  if (length < 16) throw invalidFile("A global heap of the HDF5 file is too short", length, "16 bytes or more");
  const cursor = new Cursor(file, "A global heap", address + 16, length - 16);
  const objects = new Map<number, Uint8Array>();
  while (cursor.end - cursor.offset >= 16) {
    const index = cursor.uint16();
    cursor.take(6);
    const size = cursor.uint64();
    // Object 0 is the free space that ends the collection.
    if (index === 0) break;
    const bytes = cursor.bytes(size);
    // Padded to 8 bytes; the last object of a full collection may lack the padding.
    cursor.take(Math.min((8 - (size % 8)) % 8, cursor.end - cursor.offset));
    objects.set(index, bytes);
  }
  return objects;
}
