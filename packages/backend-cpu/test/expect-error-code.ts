import { type ErrorCode, isBatchNormError } from "@batchnorm/spec";
import { expect } from "vitest";

/** Expects a BatchNormError of this code. */
export function expectErrorCode(action: () => unknown, code: ErrorCode): void {
  let thrown: unknown = null;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(isBatchNormError(thrown) && thrown.code).toBe(code);
}
