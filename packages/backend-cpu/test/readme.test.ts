import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../../scripts/readme-example.ts";
import * as whole from "../src/index.ts";
import * as inference from "../src/inference.ts";
import * as kernels from "../src/kernels/index.ts";
import * as plain from "../src/plain-inference.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");

describe("the README", () => {
  const programs = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program]) => program);

  it("has an example of the backend, one of a saved layer, one of half precision and one of the kernels", () => {
    expect(programs).toHaveLength(4);
  });

  programs.forEach((program, index) => {
    it(`runs its example ${index + 1}, and it prints what its comments say`, () => {
      const said = [...program.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
      expect(said.length).toBeGreaterThan(0);
      expect(runProgram(path, program, dirname(path)).trimEnd().split("\n")).toEqual(said);
    });
  });

  it("names every export", () => {
    const names = [whole, inference, plain, kernels].flatMap((each) => Object.keys(each));
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  it("has no link that leaves the package", () => {
    const targets = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !target.startsWith("https://"))).toEqual([]);
  });
});
