import { BatchNormError, type ErrorCode } from "./errors.ts";

/**
 * An object that was written as `{ ... }`, read from JSON, or made without a prototype; of this realm or another. A Promise,
 * a Map, a Date or an object of any other class is none, and neither is an array.
 */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A realm's Object.prototype is what has no prototype itself and knows the methods of every object.
  return prototype === null || prototype === Object.prototype || isObjectPrototype(prototype as object);
}

function isObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/**
 * Refuses anything but a plain object whose keys are all known.
 *
 * @throws BatchNormError with the given code, naming the first unknown key.
 */
export function rejectUnknownKeys(
  code: ErrorCode,
  what: string,
  value: unknown,
  known: readonly string[],
): asserts value is Record<string, unknown> {
  if (!isRecord(value))
    throw new BatchNormError(code, `${what} must be a plain object`, value, `an object with the keys ${known.join(", ")}`);
  // Not Object.keys: a layer checks the options of every call here, and that would leave an array behind each time.
  for (const key in value) {
    if (Object.hasOwn(value, key) && !known.includes(key))
      throw new BatchNormError(code, `${what} cannot have this key`, key, `only the keys ${known.join(", ")}`);
  }
}

/**
 * Refuses an object that lacks one of the keys; undefined counts as absent, null as present.
 *
 * @throws BatchNormError with the given code, naming the first absent key.
 */
export function requireKeys(code: ErrorCode, what: string, value: Readonly<Record<string, unknown>>, required: readonly string[]): void {
  for (const key of required) {
    if (value[key] === undefined) throw new BatchNormError(code, `${what} has no ${key}`, value, `an object with ${required.join(", ")}`);
  }
}

/**
 * Refuses options that are no plain object, and unknown ones: a misspelt option would otherwise be a default.
 *
 * @throws BatchNormError `invalid-argument`.
 */
export function rejectUnknownOptions(what: string, options: unknown, known: readonly string[]): asserts options is Record<string, unknown> {
  rejectUnknownKeys("invalid-argument", what, options, known);
}
