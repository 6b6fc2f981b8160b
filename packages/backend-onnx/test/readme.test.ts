import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../../scripts/readme-example.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");

describe("the README's examples run and print what their comments say", () => {
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program], index) => {
    const said = [...program.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    return { index, program, said };
  });

  test.each(examples)("example $index", ({ program, said }) => {
    expect(said.length).toBeGreaterThan(0);
    expect(runProgram(path, program, dirname(path)).trimEnd().split("\n")).toEqual(said);
  });

  test("there are four", () => expect(examples).toHaveLength(4));
});

test("no link of the README leaves the package", () => {
  const targets = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.filter((target) => !/^(https:\/\/|#)/.test(target))).toEqual([]);
});
