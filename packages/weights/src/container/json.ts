import { invalidFile } from "../errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Strings, which are left alone, and what Python writes for numbers that JSON has no word for. */
const STRING_OR_NUMBER_WORD = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

/**
 * An object written as JSON; `text` may be its bytes. Python's Infinity and NaN are read as null: no field that is looked at may be one.
 *
 * @throws BatchNormError `invalid-file`.
 */
export function parseObject(what: string, text: string | Uint8Array): JsonObject {
  let value: unknown;
  try {
    const decoded = typeof text === "string" ? text : new TextDecoder("utf-8", { fatal: true }).decode(text);
    try {
      value = JSON.parse(decoded);
    } catch {
      value = JSON.parse(decoded.replace(STRING_OR_NUMBER_WORD, (match) => (match.startsWith('"') ? match : "null")));
    }
  } catch (error) {
    throw invalidFile(`${what} is not JSON`, text, "a JSON object", error);
  }
  if (!isObject(value)) throw invalidFile(`${what} is not an object`, value, "a JSON object");
  return value;
}
