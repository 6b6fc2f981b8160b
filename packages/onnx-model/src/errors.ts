import { BatchNormError } from "@batchnorm/spec";

/**
 * A model that cannot be read: bytes that are none, one that contradicts itself, or data beside it that cannot be had,
 * or must not be.
 */
export function invalidFile(what: string, received: unknown, expected: string, cause?: unknown): BatchNormError {
  return new BatchNormError("invalid-file", what, received, expected, cause);
}

/** A name of a file, shortened: an error's sentence stays short whatever the file holds. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
}
