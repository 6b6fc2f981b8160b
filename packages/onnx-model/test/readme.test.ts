import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";
import type { FindingCode, FoldReason, Form } from "../src/index.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));

/** What the comments of an example say it prints: those on lines of their own, and those behind console.log. */
function promised(index: number): string {
  const block = [...readFileSync(README, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)][index][1];
  const lines = block
    .split("\n")
    .flatMap((line) => /console\.log\(.*\); \/\/ (.*)$/.exec(line)?.[1] ?? /^\/\/ ((?:\w+_norm) .*)$/.exec(line)?.[1] ?? []);
  return `${lines.join("\n")}\n`;
}

test.each([0, 1, 2])("example %i prints what its comments say", (index) => {
  expect(runReadmeExample(README, index)).toBe(promised(index));
});

test("all forms, findings and reasons are explained", () => {
  const text = readFileSync(README, "utf8");
  const source = (file: string): string => readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");
  const codes = (file: string, type: string): string[] => {
    const body = new RegExp(`export type ${type} =([^;]*);`).exec(source(file).replaceAll(/\/\/ .*$/gm, ""))![1];
    return [...body.matchAll(/"([^"]+)"/g)].map(([, code]) => code);
  };
  const skipped = [...source("execute/execution.ts").matchAll(/^ {4}\| "([a-z0-9-]+)"/gm)].map(([, code]) => code);
  expect(skipped).toContain("not-executed");
  const all = [
    ...skipped,
    ...codes("find/match.ts", "Form"),
    ...codes("inspect/finding.ts", "FindingCode"),
    ...codes("fold/reason.ts", "FoldReason"),
  ];
  const known: readonly (Form | FindingCode | FoldReason)[] = ["Mul+Add", "never-trained", "padding"];
  expect(all).toEqual(expect.arrayContaining([...known]));
  expect(all.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});
