import { invalidFile } from "../errors.ts";
import { Inflater } from "../inflate.ts";

/** The value of an address that points nowhere. */
const UNDEFINED_ADDRESS = 2n ** 64n - 1n;

/**
 * The bytes of an HDF5 file and a limit on the work that reading them may take.
 *
 * Structures of a sound file do not overlap, so reading each once reads no byte twice. A file whose structures point to each other in a
 * circle, or of which many share the same bytes, spends the limit and is refused: no walk has to remember where it has been.
 */
export class FileBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly inflater: Inflater;
  #left: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.inflater = new Inflater(bytes.byteLength);
    // Names in a local heap are read by everyone who has one, hence not once; the rest is for files of a few bytes.
    this.#left = 4 * bytes.byteLength + 4096;
  }

  /** Checks that `[start, start + length)` lies in the file, and counts its bytes as read. */
  spend(what: string, start: number, length: number): void {
    const size = this.bytes.byteLength;
    // Written so that NaN, which a product of absurd sizes can be, is refused.
    if (!(start >= 0 && length >= 0 && start + length <= size)) {
      throw invalidFile(`${what} of the HDF5 file lies outside it`, start + length, `an end at ${size} at most, the length of the file`);
    }
    this.#left -= length;
    if (this.#left < 0) {
      throw invalidFile(`${what} of the HDF5 file is read again and again`, start, "structures that do not overlap or form circles");
    }
  }
}

/** Reads little-endian numbers from a part of a file, one after the other; every read is checked against the end of the part. */
export class Cursor {
  readonly file: FileBytes;
  readonly what: string;
  readonly end: number;
  offset: number;

  constructor(file: FileBytes, what: string, start: number, length: number) {
    file.spend(what, start, length);
    this.file = file;
    this.what = what;
    this.offset = start;
    this.end = start + length;
  }

  /** Moves on by `count` bytes and gives the offset at which they begin. */
  take(count: number): number {
    const start = this.offset;
    if (!(count <= this.end - start)) {
      throw invalidFile(`${this.what} of the HDF5 file is too short`, this.end - start, `${count} more bytes`);
    }
    this.offset = start + count;
    return start;
  }

  uint8(): number {
    return this.file.view.getUint8(this.take(1));
  }

  uint16(): number {
    return this.file.view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.file.view.getUint32(this.take(4), true);
  }

  /** A 64-bit length or address. What no double holds becomes a number that is far beyond every file. */
  uint64(): number {
    return Number(this.file.view.getBigUint64(this.take(8), true));
  }

  /** An address; null where it points nowhere. */
  address(): number | null {
    const value = this.file.view.getBigUint64(this.take(8), true);
    return value === UNDEFINED_ADDRESS ? null : Number(value);
  }

  bytes(count: number): Uint8Array {
    const start = this.take(count);
    return this.file.bytes.subarray(start, start + count);
  }

  /** The next four bytes have to be these letters. */
  signature(letters: string): void {
    const found = String.fromCharCode(...this.bytes(4));
    if (found !== letters) throw invalidFile(`${this.what} of the HDF5 file has the wrong signature`, found, `"${letters}"`);
  }

  version(...known: number[]): number {
    const version = this.uint8();
    if (!known.includes(version)) throw invalidFile(`${this.what} of the HDF5 file has an unknown version`, version, known.join(" or "));
    return version;
  }
}
