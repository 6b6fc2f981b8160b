import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CLAUSES, suiteChecks } from "@batchnorm/conformance";
import { readVectors } from "@batchnorm/conformance/node";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8");
const spec = read("docs/spec.md");

/** Sources, tests and docs that git knows: everything that may cite a clause or an error code. */
function filesBelow(directory: string): string[] {
  const listed = execFileSync("git", ["ls-files", "--", `${directory}/*.ts`, `${directory}/*.md`], { cwd: root, encoding: "utf8" });
  return listed
    .split("\n")
    .filter((path) => path !== "" && existsSync(`${root}${path}`))
    .map((path) => `${root}${path}`);
}

describe("docs/spec.md", () => {
  it("explains exactly the error codes of the contract", () => {
    const inCode = [...read("packages/spec/src/errors.ts").matchAll(/^ {2}\| "([a-z0-9-]+)"/gm)].map(([, code]) => code).sort();
    const section = spec.slice(spec.indexOf("### 14.1"), spec.indexOf("### 14.2"));
    const inTable = [...section.matchAll(/^\| `([a-z0-9-]+)`/gm)].map(([, code]) => code).sort();
    expect(inCode.length).toBeGreaterThan(20);
    expect(inTable).toEqual(inCode);
  });

  it("has every clause that the suite checks", async () => {
    const cited = suiteChecks(await readVectors()).map(({ clause }) => clause);
    expect(cited.filter((clause) => CLAUSES[clause] === undefined)).toEqual([]);
  });

  it("has every clause that a comment or a text cites", () => {
    const missing = ["packages", "docs"].flatMap(filesBelow).flatMap((file) => {
      const text = readFileSync(file, "utf8");
      return [...text.matchAll(/\bclauses? (\d+\.\d+)(?:(?:, | and | or )(\d+\.\d+))*/g)]
        .flatMap(([match]) => match.match(/\d+\.\d+/g) ?? [])
        .filter((clause) => CLAUSES[clause] === undefined)
        .map((clause) => `${file}: ${clause}`);
    });
    expect(missing).toEqual([]);
  });
});
