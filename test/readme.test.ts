import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runReadmeExample } from "../scripts/readme-example.ts";

it("runs the README's example, and it prints what its comments say", () => {
  const printed = runReadmeExample(fileURLToPath(new URL("../README.md", import.meta.url)));
  const numbers = [...printed.matchAll(/-?\d+\.\d+/g)].map(([text]) => Number(text));
  // (12 - 10) / sqrt(4.001) * 1.5 and so on, by hand.
  [1.49981, 0.50003, -1.49981, 1.49997].forEach((expected, index) => {
    expect(numbers[index]).toBeCloseTo(expected, 4);
  });
  expect(printed).toContain("movingMean");
});
