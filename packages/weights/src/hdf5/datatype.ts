import type { NumberType } from "../tensor.ts";
import type { Cursor } from "./cursor.ts";

/** What an element is: a number of a kind that we read, a string, or something else. */
export type Datatype =
  | { readonly kind: "number"; readonly type: NumberType; readonly size: number }
  /** `size` bytes of text, padded with zeros. */
  | { readonly kind: "text"; readonly size: number }
  /** 16 bytes that point to text in a global heap. */
  | { readonly kind: "text-in-heap"; readonly size: 16 }
  /** Bytes that only the writer understands. ml_dtypes's bfloat16 is such a type of size 2. */
  | { readonly kind: "opaque"; readonly size: number }
  | { readonly kind: "other"; readonly size: number; readonly name: string };

const CLASS_NAMES = ["integer", "float", "time", "string", "bitfield", "opaque", "compound", "reference", "enum", "vlen", "array"];

/** The exponent's place and width and the mantissa's, for the little-endian floats that we read. */
const FLOATS: Readonly<Record<string, NumberType>> = {
  "2: 10 5 0 10": "float16",
  "2: 7 8 0 7": "bfloat16",
  "4: 23 8 0 23": "float32",
  "8: 52 11 0 52": "float64",
};

/** Reads a datatype message. Source: HDF5 File Format Specification 3.0, IV.A.2.d. */
export function readDatatype(cursor: Cursor): Datatype {
  const typeClass = cursor.uint8() & 0x0f;
  const bits = cursor.uint8();
  cursor.take(2);
  const size = cursor.uint32();
  const name = CLASS_NAMES[typeClass] ?? `class ${typeClass}`;
  const littleEndian = (bits & 1) === 0;
  if (name === "float" && littleEndian) {
    cursor.take(4);
    const [exponentAt, exponentBits, mantissaAt, mantissaBits] = cursor.bytes(4);
    const type = FLOATS[`${size}: ${exponentAt} ${exponentBits} ${mantissaAt} ${mantissaBits}`];
    if (type !== undefined) return { kind: "number", type, size };
  }
  if (name === "string") return { kind: "text", size };
  if (name === "opaque") return { kind: "opaque", size };
  if (name === "vlen" && (bits & 0x0f) === 1 && size === 16) return { kind: "text-in-heap", size };
  return { kind: "other", size, name: `${littleEndian ? "" : "big-endian "}${name} of ${size} bytes` };
}
