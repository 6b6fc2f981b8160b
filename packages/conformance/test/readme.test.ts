import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Supports } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import type { AnyBackend } from "../src/checks/check.ts";
import { command } from "../src/command/cli.ts";
import { type Deviation, isDeviations } from "../src/deviations.ts";
import { runConformance, suiteChecks } from "../src/suite.ts";
import { readVectors } from "../src/vectors/read.ts";
import complete from "./adapters/complete.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");
const vectors = await readVectors();

describe("the README", () => {
  it.each([
    { name: "inference.mjs", fence: "js", lines: 15, least: 200 },
    { name: "complete.ts", fence: "ts", lines: 60, least: 700 },
    // A whole run of the suite: tens of seconds, and more where others use the machine, too.
  ])("has the adapter $name of at most $lines lines that conforms", { timeout: 300_000 }, async ({ name, fence, lines, least }) => {
    const file = new URL(`./adapters/${name}`, import.meta.url);
    const source = readFileSync(file, "utf8");
    expect(readme).toContain(`\`\`\`${fence}\n${source}\`\`\``);
    const { default: backend } = (await import(fileURLToPath(file))) as { default: AnyBackend };
    expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(lines);
    const { results } = await runConformance([backend], { vectors });
    const { cases, passed } = results[0];
    expect(cases.filter(({ status }) => status === "failed").map(({ id, failures }) => `${id}: ${failures[0].message}`)).toEqual([]);
    expect(passed).toBeGreaterThan(least);
  });

  it("has a complete adapter, of which no check is skipped but for half precision, which its manifest lacks", () => {
    const { supports } = complete;
    const skip = (dtypes: Supports["dtypes"]): (string | null)[] =>
      suiteChecks(vectors).map((check) => check.skip({ ...supports, dtypes }));
    expect(skip(supports.dtypes).filter((reason) => reason !== null && !/half|[fF]loat16/.test(reason))).toEqual([]);
    const ofAll = skip(["float32", "float16", "bfloat16"]).filter((reason) => reason !== null);
    expect(ofAll).toEqual("Float16Array" in globalThis ? [] : ["a Float16Array is not supported, by the backend or by this runtime"]);
  });

  it("promises no more than there is", () => {
    expect(vectors.cases.length).toBeGreaterThan(600);
  });

  it("lists every option of the command", () => {
    for (const { long } of command().options) expect(readme).toMatch(new RegExp(`\`${long}[ \`]`));
  });

  it("shows deviations as they are taken, of checks that there are", () => {
    const list: unknown = JSON.parse(/```json\n(.*?)```/s.exec(readme)![1]);
    expect(isDeviations(list)).toBe(true);
    const ids = suiteChecks(vectors).map(({ id }) => id);
    expect((list as Deviation[]).filter(({ id }) => !ids.includes(id))).toEqual([]);
  });
});
