import { BatchNormError } from "@batchnorm/spec";

/** A file that is not what it claims to be: `what` says which part, without the values that follow. */
export function invalidFile(what: string, received: unknown, expected: string, cause?: unknown): BatchNormError {
  return new BatchNormError("invalid-file", what, received, expected, cause);
}

/** A file, or a part of one, of a form that is known and not read; `instead` says what is. */
export function unsupportedFormat(what: string, received: unknown, instead: string): BatchNormError {
  return new BatchNormError("unsupported-format", what, received, instead);
}
