import { BatchNormError } from "@batchnorm/spec";

/** Bytes that are no ONNX model, or a model that contradicts itself. */
export function invalidModel(what: string, received: unknown, expected: string, cause?: unknown): BatchNormError {
  return new BatchNormError("invalid-model", what, received, expected, cause);
}

/** Data beside the model that cannot be had, or must not be. */
export function invalidExternalData(what: string, received: unknown, expected: string, cause?: unknown): BatchNormError {
  return new BatchNormError("invalid-external-data", what, received, expected, cause);
}

/** A name of a file, shortened: an error's sentence stays short whatever the file holds. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 57)}...` : name);
}
