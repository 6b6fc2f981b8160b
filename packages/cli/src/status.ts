import { BatchNormError } from "@batchnorm/spec";

/** What the command's exit code says. */
export const Status = {
  /** Done, and nothing to complain of. */
  fine: 0,
  /** Findings under --strict, or a verification that failed. */
  findings: 1,
  /** A wrong use, or a file that cannot be read. */
  wrongUse: 2,
} as const;

export type Status = (typeof Status)[keyof typeof Status];

export function wrongUse(what: string, received: unknown, expected: string, cause?: unknown): BatchNormError {
  return new BatchNormError("invalid-argument", what, received, expected, cause);
}

/** A file that cannot be read; `what` says which, and which part of it. */
export function invalidFile(what: string, received: unknown, expected: string, cause?: unknown): BatchNormError {
  return new BatchNormError("invalid-file", what, received, expected, cause);
}
