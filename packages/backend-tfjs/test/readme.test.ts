import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as layers from "@batchnorm/backend-tfjs/layers";
import { expect, test } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));

test("the README's example runs and prints what its comments say", () => {
  expect(runReadmeExample(README)).toBe("false\ntrue\n");
});

test("the README has every export of the layers", () => {
  const text = readFileSync(README, "utf8");
  expect(Object.keys(layers).filter((name) => !text.includes(`\`${name}`))).toEqual([]);
});
