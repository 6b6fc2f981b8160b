import { BatchNormError } from "@batchnorm/spec";
import { reviveNumber } from "../reporters/json.ts";
import { MATRIX_SCHEMA, type Matrix } from "./format.ts";
import { mergeMatrices } from "./merge.ts";
import { matrixFaults } from "./validate.ts";

/**
 * The matrix in the text of a result file, in the order in which matrices are shown.
 *
 * @throws BatchNormError `invalid-json` for a text that is no JSON, and a file in which a field is missing, unknown, of the wrong type or
 * in contradiction to another; `wrong-version` for a file of another schema.
 */
export function readMatrix(text: string): Matrix {
  let value: unknown;
  try {
    value = JSON.parse(text, reviveNumber);
  } catch (error) {
    throw new BatchNormError(
      "invalid-json",
      `The matrix is not JSON (${(error as Error).message})`,
      text,
      "the text of a result file",
      error,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BatchNormError("invalid-json", "The matrix is not an object", value, "what `writeMatrix` writes");
  }
  const { schema } = value as Partial<Matrix>;
  if (schema !== MATRIX_SCHEMA) {
    throw new BatchNormError("wrong-version", "The matrix has a schema that is not read here", schema, String(MATRIX_SCHEMA));
  }
  const [fault] = matrixFaults(value);
  if (fault !== undefined) throw new BatchNormError("invalid-json", `The matrix is wrong at ${fault.path}`, fault.received, fault.expected);
  return mergeMatrices([value as Matrix]);
}

/** The text of a result file: a line for each clause and each failing check, so that two of them can be compared line by line. */
export function writeMatrix(matrix: Matrix): string {
  return `${layOut(inJson(matrix), 0)}\n`;
}

/** What lies deeper is on one line. */
const DEEPEST = 5;

function layOut(value: unknown, depth: number): string {
  if (typeof value !== "object" || value === null || depth === DEEPEST) return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const lines = Array.isArray(value)
    ? value.map((each) => layOut(each, depth + 1))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${layOut(each, depth + 1)}`);
  if (lines.length === 0) return open + close;
  const indent = " ".repeat(depth);
  return `${open}\n${lines.map((line) => `${indent} ${line}`).join(",\n")}\n${indent}${close}`;
}

/** As JSON has it: without fields that are undefined, and with texts for numbers that are not finite. */
function inJson(matrix: Matrix): unknown {
  return JSON.parse(
    JSON.stringify(matrix, (_, each: unknown) => (typeof each === "number" && !Number.isFinite(each) ? String(each) : each)),
  );
}
