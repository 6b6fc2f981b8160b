import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { BatchNormError, describeValue, isBatchNormError } from "../src/index.ts";

describe("BatchNormError", () => {
  const error = new BatchNormError("invalid-axis", "axis is not an integer", 0.5, "one integer such as -1 or 1");

  test("is one sentence with what was received and what was expected", () => {
    expect(error.message).toBe("axis is not an integer: received 0.5, expected one integer such as -1 or 1.");
  });

  test("has the code, the value itself and the words", () => {
    const value = { a: 1 };
    const other = new BatchNormError("invalid-state", "It", value, "less");
    expect(other.code).toBe("invalid-state");
    expect(other.received).toBe(value);
    expect(other.expected).toBe("less");
    expect(other.name).toBe("BatchNormError");
    expect(other).toBeInstanceOf(Error);
  });

  test("has the address of a page about its code, which runtimes print below the message", () => {
    expect(error.url).toBe("https://batchnorm.github.io/batchnorm/errors/invalid-axis");
    expect(inspect(error).trimEnd()).toMatch(/url: 'https:[^']*\/errors\/invalid-axis'\n}$/);
  });

  test("has a cause only where one was given", () => {
    const cause = new Error("device lost");
    expect(new BatchNormError("runtime-failure", "It failed", 1, "a result", cause).cause).toBe(cause);
    expect("cause" in error).toBe(false);
  });

  test("is recognized across two copies of the package", async () => {
    const path = "../src/errors.ts?copy";
    const copy = (await import(/* @vite-ignore */ path)) as typeof import("../src/errors.ts");
    const foreign = new copy.BatchNormError("disposed", "call was called", "call", "a layer that is in use");
    expect(foreign).not.toBeInstanceOf(BatchNormError);
    expect(isBatchNormError(foreign)).toBe(true);
    expect(copy.isBatchNormError(error)).toBe(true);
  });

  test.for([null, undefined, "invalid-axis", 0, new Error("no"), { code: "invalid-axis", name: "BatchNormError" }])(
    "%s is none",
    (value) => {
      expect(isBatchNormError(value)).toBe(false);
    },
  );
});

describe("describeValue", () => {
  test.for<[unknown, string]>([
    [1.5, "1.5"],
    [-0, "-0"],
    [0, "0"],
    [Number.NaN, "NaN"],
    [12n, "12n"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [Symbol("s"), "Symbol(s)"],
    ["two\nlines", '"two\\nlines"'],
    ["a".repeat(80), `"${"a".repeat(80)}"`],
    ["a".repeat(100), `"${"a".repeat(77)}..."`],
    [new Array(2), "[undefined, undefined]"],
    [[1, "a", [-0]], '[1, "a", [-0]]'],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], "[1, 2, 3, 4, 5, 6, 7, 8, ...]"],
    [new Float32Array(3), "Float32Array of 3 elements"],
    [() => 1, "a function"],
    [{}, "an empty object"],
    [{ gamma: 1, beta: 2 }, "an object with gamma, beta"],
  ])("%s", ([value, words]) => {
    expect(describeValue(value)).toBe(words);
  });
});
