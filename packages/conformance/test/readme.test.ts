import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runReadmeExample } from "../../../scripts/readme-example.ts";
import { suiteCommand } from "../src/command.ts";
import { MUTANTS } from "../src/mutants/run.ts";
import { readVectors } from "../src/vectors/read.ts";

const path = fileURLToPath(new URL("../README.md", import.meta.url));
const readme = readFileSync(path, "utf8");

describe("the README", () => {
  it("has an adapter that runs and conforms, with what it cannot skipped", () => {
    const printed = runReadmeExample(path).trim();
    expect(printed).toMatch(/^\d{3} passed, 0 failed$/);
  });

  it("promises no more than there is", async () => {
    expect((await readVectors()).cases.length).toBeGreaterThan(600);
    expect(MUTANTS.length).toBeGreaterThan(100);
  });

  it("lists every option of the command", () => {
    for (const { long } of suiteCommand("any").options) expect(readme).toContain(`\`${long} `);
  });
});
