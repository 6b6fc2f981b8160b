import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { invalidFile } from "../errors.ts";

/** Messages within messages: a model with an If in an If in an If has some 20. The decoder's own limit is 100. */
const DEEPEST = 90;

/**
 * Two bytes are enough for a message of a hundred on the heap, so that 20 MB could ask for gigabytes. Large models have
 * a tenth of this.
 */
const MOST_MESSAGES = 4_000_000;

const VARINT = 0;
const BITS_64 = 1;
const LENGTH = 2;
const BITS_32 = 5;

/**
 * Walks over the bytes of a message once and refuses what a lenient decoder reads as something else: lengths that reach
 * over the end of the file or of the message around them, fields of another wire type than the schema's, text that is
 * not UTF-8. After this the decoder cannot fail, and reads what any other one reads.
 *
 * @throws BatchNormError `invalid-file`, with the field and its place.
 */
export function checkWire(schema: DescMessage, bytes: Uint8Array): void {
  new Walk(bytes).message(schema, bytes.length, [schema.name]);
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true });
  #at = 0;
  #messages = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(schema: DescMessage, end: number, path: string[]): void {
    if (path.length > DEEPEST) throw this.#refuse(path, "is nested too deeply", path.length, `at most ${DEEPEST} levels`);
    if (++this.#messages > MOST_MESSAGES) {
      throw this.#refuse(path, "is one message too many", this.#messages, `at most ${MOST_MESSAGES} messages in a file`);
    }
    const fields = fieldsOf(schema);
    while (this.#at < end) {
      const tag = this.#varint(end, path);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (number < 1 || number >= 2 ** 29) throw this.#refuse(path, "has a field with an impossible number", number, "1 to 2^29 - 1");
      const field = fields.get(number);
      if (field === undefined) this.#skip(wire, end, path);
      else {
        path.push(field.name);
        this.#field(field, wire, end, path);
        path.pop();
      }
    }
  }

  #field(field: DescField, wire: number, end: number, path: string[]): void {
    const message = field.fieldKind === "message" || field.fieldKind === "list" ? field.message : undefined;
    if (message !== undefined) {
      this.#expect(wire, LENGTH, path);
      this.message(message, this.#length(end, path), path);
      return;
    }
    const scalar = field.fieldKind === "scalar" || field.fieldKind === "list" ? (field.scalar as ScalarType) : ScalarType.INT32;
    const wanted = wireOf(scalar);
    if (field.fieldKind === "list" && wire === LENGTH && wanted !== LENGTH) this.#packed(wanted, this.#length(end, path), path);
    else {
      this.#expect(wire, wanted, path);
      if (scalar === ScalarType.STRING) this.#text(this.#length(end, path), path);
      else this.#skip(wire, end, path);
    }
  }

  #packed(wire: number, end: number, path: string[]): void {
    if (wire === VARINT) while (this.#at < end) this.#varint(end, path);
    else while (this.#at < end) this.#advance(wire === BITS_32 ? 4 : 8, end, path);
  }

  #skip(wire: number, end: number, path: string[]): void {
    if (wire === VARINT) this.#varint(end, path);
    else if (wire === BITS_64) this.#advance(8, end, path);
    else if (wire === BITS_32) this.#advance(4, end, path);
    else if (wire === LENGTH) this.#at = this.#length(end, path);
    else throw this.#refuse(path, "has a field of an unknown wire type", wire, "0, 1, 2 or 5");
  }

  #text(end: number, path: string[]): void {
    const text = this.#bytes.subarray(this.#at, end);
    try {
      // Most names are ASCII, and a decoder costs more than a look at some ten bytes.
      if (text.some((byte) => byte > 127)) this.#utf8.decode(text);
    } catch (cause) {
      throw this.#refuse(path, "is not UTF-8", text, "text", cause);
    }
    this.#at = end;
  }

  /** The end of a field that says its length. */
  #length(end: number, path: string[]): number {
    const length = this.#varint(end, path);
    if (length > end - this.#at) {
      throw this.#refuse(path, "is longer than what is left", length, `at most ${end - this.#at} bytes: the file may be truncated`);
    }
    return this.#at + length;
  }

  /** A varint; its value is exact below 2^53 and only too large, never too small, above. */
  #varint(end: number, path: string[]): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      this.#advance(1, end, path);
      const byte = this.#bytes[this.#at - 1];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw this.#refuse(path, "has a number of more than ten bytes", value, "a varint");
  }

  #advance(count: number, end: number, path: string[]): void {
    if (count > end - this.#at) throw this.#refuse(path, "ends early", end - this.#at, `${count} more bytes: the file may be truncated`);
    this.#at += count;
  }

  #expect(wire: number, wanted: number, path: string[]): void {
    if (wire !== wanted) throw this.#refuse(path, "has another wire type than ONNX gives it", wire, String(wanted));
  }

  #refuse(path: readonly string[], what: string, received: unknown, expected: string, cause?: unknown): Error {
    const shown = path.length > 8 ? [...path.slice(0, 4), "...", ...path.slice(-3)] : path;
    return invalidFile(`${shown.join(".")} ${what}, at byte ${this.#at}`, received, expected, cause);
  }
}

const known = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(schema: DescMessage): ReadonlyMap<number, DescField> {
  let fields = known.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    known.set(schema, fields);
  }
  return fields;
}

function wireOf(scalar: ScalarType): number {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return LENGTH;
  if (scalar === ScalarType.FLOAT) return BITS_32;
  return scalar === ScalarType.DOUBLE ? BITS_64 : VARINT;
}
