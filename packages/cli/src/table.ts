import { visible } from "./visible.ts";

/** Columns with a title, and rows of text; numbers stand to the right. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

const GAP = "  ";

/** A table as lines of text: columns as wide as they have to be, titles underlined, `-` for what is not there. */
export function renderTable({ columns, rows }: Table): string {
  const cells = rows.map((row) => row.map((cell) => (cell === null || cell === "" ? "-" : visible(String(cell)))));
  const widths = columns.map((title, k) => Math.max(title.length, ...cells.map((row) => row[k].length)));
  const right = columns.map((_, k) => rows.length > 0 && rows.every((row) => typeof row[k] === "number" || row[k] === null));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, k) => (right[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join(GAP)
      .trimEnd();
  return [line(columns), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].map((text) => `${text}\n`).join("");
}

/** A number for people: four digits. */
export function short(value: number | null): string | null {
  if (value === null) return null;
  return String(Number(value.toPrecision(4)));
}

/** `1 layer`, `2 layers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
