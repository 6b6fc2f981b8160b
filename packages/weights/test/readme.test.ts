import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));

test("the README's example runs and prints what its comments say", () => {
  const text = readFileSync(README, "utf8");
  const lines = [...text.matchAll(/^(?:console\.log.*;)? ?\/\/ (.*)$/gm)].map(([, line]) => line);
  expect(lines.length).toBe(7);
  expect(runReadmeExample(README)).toBe(`${lines.join("\n")}\n`);
});
