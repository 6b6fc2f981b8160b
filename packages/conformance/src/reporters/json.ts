import type { Report } from "../report.ts";

/** The whole report. What JSON does not have becomes a string: NaN, an infinity, a BigInt as `5n`, and a typed array a list. */
export function json(report: Report): string {
  return `${JSON.stringify(report, (_, value: unknown) => plain(value), 1)}\n`;
}

/** The report in a text that `json` wrote, with its numbers. What a backend gave stays as it is in the text. */
export function readReport(text: string): Report {
  return JSON.parse(text, reviveNumber);
}

/** The fields that may hold a number that is not finite. */
const NUMBERS: ReadonlySet<string> = new Set(["share", "ulp", "times", "timesReference", "expected", "got", "bound"]);
const NOT_FINITE: ReadonlySet<unknown> = new Set(["NaN", "Infinity", "-Infinity"]);

/** For `JSON.parse`: a text in place of a number that is not finite becomes that number. */
export function reviveNumber(key: string, value: unknown): unknown {
  return NUMBERS.has(key) && NOT_FINITE.has(value) ? Number(value) : value;
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value instanceof Float32Array ? Array.from(value) : value;
}
