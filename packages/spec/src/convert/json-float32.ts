import { BatchNormError } from "../errors.ts";

/**
 * A float32 as JSON can hold it, one spelling for each: a finite number other than -0 is a JSON number; -0, the infinities and
 * every NaN are `"0x"` and the eight hexadecimal digits of their bits, so that sign and payload survive.
 */
export type JSONFloat32 = number | string;

/** Every element of a float32 array as JSON can hold it. */
export function writeFloat32(values: Float32Array): JSONFloat32[] {
  // The bits are read as integers: a NaN that passes through a JavaScript number may lose its payload.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Array.from(values, (value, index) => (isPlain(value) ? value : `0x${bits[index].toString(16).padStart(8, "0")}`));
}

/**
 * The reverse of `writeFloat32`, bit for bit.
 *
 * @throws BatchNormError `invalid-json`, naming the element, for anything that `writeFloat32` would not have written.
 */
export function readFloat32(name: string, list: unknown): Float32Array {
  if (!Array.isArray(list)) throw new BatchNormError("invalid-json", `${name} is not a list`, list, "a list with one entry per channel");
  const values = new Float32Array(list.length);
  const bits = new Uint32Array(values.buffer);
  for (const [index, entry] of list.entries()) {
    const where = `${name}[${index}]`;
    if (typeof entry === "number") values[index] = checkNumber(where, entry);
    else bits[index] = parseBits(where, entry);
    if (typeof entry !== "number" && isPlain(values[index])) {
      throw new BatchNormError("invalid-json", `${where} spells a finite number as bits`, entry, `the number ${values[index]}`);
    }
  }
  return values;
}

function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function checkNumber(where: string, value: number): number {
  if (!isPlain(value)) {
    throw new BatchNormError(
      "invalid-json",
      `${where} is not a number that JSON keeps`,
      value,
      'its float32 bits, such as "0x80000000" for -0',
    );
  }
  if (Math.fround(value) !== value) {
    throw new BatchNormError("invalid-json", `${where} would be rounded`, value, `a float32, such as ${Math.fround(value)}`);
  }
  return value;
}

function parseBits(where: string, entry: unknown): number {
  if (typeof entry !== "string" || !/^0x[0-9a-f]{8}$/.test(entry)) {
    throw new BatchNormError(
      "invalid-json",
      `${where} is not a float32`,
      entry,
      'a number, or "0x" and eight lower-case hexadecimal digits',
    );
  }
  return Number(entry);
}
