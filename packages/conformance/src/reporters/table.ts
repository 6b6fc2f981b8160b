import { stripVTControlCharacters } from "node:util";

/** Columns padded to their widest cell, two spaces apart; `right` lists those that are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const width = (cell: string): number => stripVTControlCharacters(cell).length;
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const space = " ".repeat(widths[column] - width(cell));
      return right.includes(column) ? space + cell : cell + space;
    });
    return cells.join("  ").trimEnd();
  });
}

/** Lines further to the right. */
export function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => (line === "" ? "" : " ".repeat(by) + line));
}
