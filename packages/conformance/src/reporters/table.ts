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

/** Lines no wider than a terminal: broken at spaces, what follows as far to the right as the line began, or its text after a mark. */
export function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => wrapLine(line, width))
    .join("\n");
}

function wrapLine(line: string, width: number): string[] {
  const widthOf = (part: string): number => stripVTControlCharacters(part).length;
  if (widthOf(line) <= width) return [line];
  const margin = /^\s*([✓✗!→-] )?/.exec(stripVTControlCharacters(line))![0].length;
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(/(?<=\S) /)) {
    if (current !== "" && widthOf(current) + 1 + widthOf(word) > width && widthOf(current) > margin) {
      lines.push(current);
      current = " ".repeat(margin) + word.trimStart();
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}
