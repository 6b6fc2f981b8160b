import { inflateSync, unzlibSync } from "fflate";
import { invalidFile } from "./errors.ts";

/**
 * How many times longer than the file all that is unpacked from it may be. Keras compresses nothing, config.json shrinks to a
 * thirtieth when somebody else does, and trained weights hardly at all.
 */
const MAX_EXPANSION = 100;
/** So that small files may unpack to what small files do. */
const FLOOR = 2 ** 20;

/** Unpacks parts of one file, and refuses when they would become too long together. */
export class Inflater {
  #left: number;

  constructor(fileLength: number) {
    this.#left = FLOOR + MAX_EXPANSION * fileLength;
  }

  /**
   * The `length` bytes that `packed` unpacks to.
   *
   * @throws BatchNormError `invalid-file` when it unpacks to another length, or to nothing, or when there is too much.
   */
  inflate(what: string, packed: Uint8Array, length: number, form: "deflate" | "zlib"): Uint8Array {
    if (!(length <= this.#left)) {
      throw invalidFile(
        `${what} unpacks to too much`,
        length,
        `${this.#left} bytes at most, ${MAX_EXPANSION} times the length of the file in all`,
      );
    }
    this.#left -= length;
    // fflate stops writing at the end of `out` without a word: one byte more shows that there was more.
    const out = new Uint8Array(length + 1);
    let unpacked: Uint8Array;
    try {
      unpacked = (form === "zlib" ? unzlibSync : inflateSync)(packed, { out });
    } catch (error) {
      throw invalidFile(`${what} does not unpack`, packed, "compressed data", error);
    }
    if (unpacked.length !== length) throw invalidFile(`${what} unpacks to another length`, unpacked.length, `${length} bytes`);
    return unpacked;
  }
}
