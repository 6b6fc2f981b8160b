const NEWLINE = 10;
/** Bytes of one line, more than any tensor of the suite needs: what is longer is no line. */
const LONGEST = 2 ** 28;

/**
 * Cuts a stream of bytes into lines of UTF-8. Only a newline ends a line: `node:readline` also takes the line separators that JSON
 * allows in strings.
 */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(onLine: (line: string) => void, onTooLong: () => void) {
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...this.#parts, rest.subarray(0, end)]).toString("utf8");
      rest = rest.subarray(end + 1);
      this.#parts = [];
      this.#length = 0;
      this.#onLine(line);
    }
    this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length > LONGEST) {
      this.#parts = [];
      this.#length = 0;
      this.#onTooLong();
    }
  }
}
