import type { Report } from "../report.ts";

/** The whole report. A number that JSON does not have (NaN, an infinity) becomes a string. */
export function json(report: Report): string {
  return `${JSON.stringify(report, (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value), 1)}\n`;
}
