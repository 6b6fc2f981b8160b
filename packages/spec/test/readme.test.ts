import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";
import * as convert from "../src/convert/index.ts";
import * as half from "../src/half.ts";
import * as spec from "../src/index.ts";
import * as moments from "../src/moments.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));

test("the README's example runs and prints what its comments say", () => {
  expect(runReadmeExample(README)).toBe("0.9 sample\n3 -1\n");
});

test("the README's table has every export", () => {
  const text = readFileSync(README, "utf8");
  expect(Object.keys({ ...spec, ...convert, ...half, ...moments }).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

describe("runReadmeExample", () => {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const readme = (text: string): string => {
    const path = join(folder, "README.md");
    writeFileSync(path, text);
    return path;
  };

  test("refuses a README without an example", () => {
    expect(() => runReadmeExample(readme("# Title\n\n```sh\nnpm install\n```\n"))).toThrow("has no ```ts block to run");
  });

  test("runs the first ts block alone, as TypeScript", () => {
    expect(runReadmeExample(readme("```ts\nconst n: number = 1;\nconsole.log(n);\n```\n\n```ts\nconsole.log(2);\n```\n"))).toBe("1\n");
  });

  test("fails with the example", () => {
    expect(() => runReadmeExample(readme('```ts\nthrow new Error("broken");\n```\n'))).toThrow(/README\.md failed:[\s\S]*broken/);
  });
});
