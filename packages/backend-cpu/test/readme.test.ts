import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));

it("runs the README's example, and it prints what its comments say", () => {
  const said = [...readFileSync(path, "utf8").matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
  expect(said).toHaveLength(3);
  expect(runReadmeExample(path).trimEnd().split("\n")).toEqual(said);
});
