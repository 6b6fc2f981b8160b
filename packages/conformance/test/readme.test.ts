import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { suiteCommand } from "../src/command.ts";
import { MUTANTS } from "../src/mutants/run.ts";
import { runConformance } from "../src/suite.ts";
import { readVectors } from "../src/vectors/read.ts";
import inference from "./adapters/inference.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");

describe("the README", () => {
  it("has an adapter of at most 15 lines that conforms, with what it cannot skipped", async () => {
    const source = readFileSync(new URL("./adapters/inference.ts", import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`ts\n// my-adapter.ts\n${source}\`\`\``);
    expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
    const { results } = await runConformance([inference], { vectors: await readVectors() });
    expect(results[0].cases.filter(({ status }) => status === "failed").map(({ id, failures }) => `${id}: ${failures[0].message}`)).toEqual(
      [],
    );
    expect(results[0].passed).toBeGreaterThan(200);
  });

  it("promises no more than there is", async () => {
    expect((await readVectors()).cases.length).toBeGreaterThan(600);
    expect(MUTANTS.length).toBeGreaterThan(100);
  });

  it("lists every option of the command", () => {
    for (const { long } of suiteCommand("any").options) expect(readme).toContain(`\`${long} `);
  });
});
