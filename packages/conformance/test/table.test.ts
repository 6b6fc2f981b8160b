import { styleText } from "node:util";
import { describe, expect, it } from "vitest";
import { table, wrap } from "../src/reporters/table.ts";

it("a table has columns of one width, with colors that have none", () => {
  const rows = [
    ["a", "1"],
    [styleText("red", "long", { validateStream: false }), "20"],
  ];
  expect(table(rows, [1])).toEqual(["a      1", `${styleText("red", "long", { validateStream: false })}  20`]);
  expect(table([])).toEqual([]);
});

describe("text in a terminal", () => {
  it("is broken at spaces, and goes on where it began", () => {
    expect(wrap("    one two three four", 14)).toBe("    one two\n    three four");
    expect(wrap("short\n  one two three", 10)).toBe("short\n  one two\n  three");
  });

  it("goes on after a mark, not below it", () => {
    expect(wrap("  ✗ one two three", 12)).toBe("  ✗ one two\n    three");
  });

  it("keeps what has no space, and every character", () => {
    const id = "inference/no-gamma-no-beta-rank5-axis1-2x3x2x3x2";
    expect(wrap(`  ${id} x`, 20)).toBe(`  ${id}\n  x`);
    const text = "  - one  two   three, four (five) and six";
    expect(wrap(text, 15).replaceAll(/\s+/g, "")).toBe(text.replaceAll(/\s+/g, ""));
    for (const line of wrap(text, 15).split("\n")) expect(line.length).toBeLessThanOrEqual(15);
  });
});
