import { expect } from "vitest";
import { type BatchNormError, describeValue, type ErrorCode, isBatchNormError } from "../src/index.ts";

/** One call that must be refused. `received` is the whole of that half of the sentence, `expected` a part of the other. */
export interface Refusal {
  readonly title: string;
  readonly action: () => unknown;
  readonly received: string;
  readonly expected: string;
}

/** Runs the action, which must throw or reject with a BatchNormError, and returns that error. */
export async function refusalOf(action: () => unknown): Promise<BatchNormError> {
  let value: unknown;
  try {
    value = await action();
  } catch (error) {
    if (isBatchNormError(error)) return error;
    throw error;
  }
  throw new Error(`nothing was refused; the value is ${describeValue(value)}`);
}

/** The code is right, and the sentence says what was received and what was expected. */
export async function expectRefusal(code: ErrorCode, refusal: Omit<Refusal, "title">): Promise<void> {
  const error = await refusalOf(refusal.action);
  expect(error.code).toBe(code);
  const parts = /^(.+?): received (.*), expected (.+)\.$/.exec(error.message);
  expect(parts, error.message).not.toBeNull();
  expect(error.message).toContain(`: received ${refusal.received}, expected `);
  expect(describeValue(error.received)).toBe(refusal.received);
  expect(error.message.endsWith(`, expected ${error.expected}.`)).toBe(true);
  expect(error.expected).toContain(refusal.expected);
}
