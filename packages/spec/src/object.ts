import { BatchNormError, type ErrorCode } from "./errors.ts";

/** A plain record: not null, not an array, not a typed array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/**
 * Refuses anything but an object whose keys are all known.
 *
 * @throws BatchNormError with the given code, naming the first unknown key.
 */
export function rejectUnknownKeys(
  code: ErrorCode,
  what: string,
  value: unknown,
  known: readonly string[],
): asserts value is Record<string, unknown> {
  if (!isRecord(value)) throw new BatchNormError(code, `${what} is not an object`, value, `an object with the keys ${known.join(", ")}`);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new BatchNormError(code, `${what} has an unknown key`, key, `only the keys ${known.join(", ")}`);
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
