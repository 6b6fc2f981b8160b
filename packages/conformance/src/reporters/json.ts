import type { Report } from "../report.ts";

/** The whole report. What JSON does not have becomes a string: NaN, an infinity, a BigInt as `5n`, and a typed array a list. */
export function json(report: Report): string {
  return `${JSON.stringify(report, (_, value: unknown) => plain(value), 1)}\n`;
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value instanceof Float32Array ? Array.from(value) : value;
}
