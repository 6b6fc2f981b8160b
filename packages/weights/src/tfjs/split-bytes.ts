import { invalidFile } from "../errors.ts";

/** Several files read as one. */
export class SplitBytes {
  readonly length: number;
  readonly #parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
    this.length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  }

  /**
   * A copy of the bytes from `start` to `end`.
   *
   * @throws BatchNormError `invalid-file` when they are not all there.
   */
  slice(start: number, end: number): Uint8Array {
    if (!(start >= 0 && end <= this.length))
      throw invalidFile("The files of the weights are too short", this.length, `${end} bytes or more`);
    const result = new Uint8Array(end - start);
    let from = 0;
    for (const part of this.#parts) {
      const piece = part.subarray(Math.max(0, start - from), Math.max(0, end - from));
      if (piece.byteLength > 0) result.set(piece, Math.max(0, from - start));
      from += part.byteLength;
    }
    return result;
  }
}
