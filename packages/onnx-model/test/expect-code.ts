import { isBatchNormError } from "@batchnorm/spec";
import { expect } from "vitest";

/** Runs what must be refused, at once or by a promise, and checks code and sentence. */
export async function expectCode(code: string, action: () => unknown, sentence = ""): Promise<void> {
  let error: unknown;
  try {
    await action();
  } catch (caught) {
    error = caught;
  }
  if (!isBatchNormError(error)) throw error ?? new Error("nothing was refused");
  expect(error.message).toContain(sentence);
  expect(error.code, error.message).toBe(code);
  // Short, whatever was received.
  expect(error.message.length).toBeLessThan(500);
}
