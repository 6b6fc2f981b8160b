import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");

describe("the README's examples run and print what their comments say", () => {
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, example], index) => {
    const said = [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    return { index, said };
  });

  test.each(examples)("example $index", ({ index, said }) => {
    expect(said.length).toBeGreaterThan(0);
    expect(runReadmeExample(path, index).trimEnd().split("\n")).toEqual(said);
  });

  test("there are three", () => expect(examples).toHaveLength(3));
});

test("no link of the README leaves the package", () => {
  const targets = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.filter((target) => !/^(https:\/\/|#)/.test(target))).toEqual([]);
});
