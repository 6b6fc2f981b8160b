import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Report } from "@batchnorm/conformance";
import { VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import { noChromium, withChromium } from "@batchnorm/in-browser";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const CPU = fileURLToPath(new URL("configs/cpu.ts", import.meta.url));
const FAULTS = fileURLToPath(new URL("configs/faults.ts", import.meta.url));
const THROWS = fileURLToPath(new URL("configs/throws.ts", import.meta.url));

/** The command as `pnpm conformance:browser` runs it. */
function run(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 26 } as const;
  return spawnSync(process.execPath, ["--conditions=@batchnorm/source", MAIN, ...argv], options);
}

describe.skipIf(noChromium() !== null)(withChromium("the suite in Chromium"), () => {
  it("runs one section on the CPU backend", () => {
    const { status, stdout } = run("--backend", "cpu", "--only", "5", "--reporter", "json");
    expect(status).toBe(0);
    const { results, vectors } = JSON.parse(stdout) as Report;
    expect(vectors.sha256).toBe(
      createHash("sha256")
        .update(readFileSync(`${VECTORS_DIRECTORY}/manifest.json`))
        .digest("hex"),
    );
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ backend: "cpu", failed: 0, skipped: 0, problems: [] });
    expect(results[0].passed).toBe(results[0].cases.length);
    expect(new Set(results[0].cases.map(({ clause }) => clause))).toEqual(new Set(["5.1", "5.2", "5.3", "5.4", "5.5"]));
    expect(new Set(results[0].cases.map(({ kind }) => kind))).toEqual(new Set(["contract", "vector", "property"]));
  });

  it("reports what goes wrong outside of the checks, and goes on with the next backend", () => {
    const { status, stdout } = run("--only", "5.5", "--timeout", "8", "--reporter", "json", FAULTS);
    expect(status).toBe(1);
    const problems = (JSON.parse(stdout) as Report).results.map((result) => [result.backend, result.problems]);
    expect(problems).toEqual([
      [
        "noisy",
        [
          "The console shows an error while the backend was made: the console shows this",
          "An error was not caught while the backend was made: nobody catches this",
        ],
      ],
      ["backend 2", ["Backend 2 of the config could not be made: there is no such device"]],
      ["hanging", ["Nothing was heard from the page for 8 s while contract/empty-inference ran; nothing ran after that."]],
      ["cpu", []],
    ]);
  });

  it("leaves out the backends that were not asked for", () => {
    const { status, stdout } = run("--only", "5.5", "--backend", "cpu", "--reporter", "json", FAULTS);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Report).results.map(({ backend }) => backend)).toEqual(["cpu"]);
  });

  it("fails with a sentence when the config throws", () => {
    const { status, stdout } = run("--only", "5.5", THROWS);
    expect(status).toBe(1);
    expect(stdout).toContain("the config is broken");
  });

  it("refuses a backend that is not in the config", () => {
    const { status, stderr } = run("--backend", "abacus", CPU);
    expect(status).toBe(2);
    expect(stderr).toBe(`--backend abacus: not in ${CPU}, expected one of cpu.\n`);
  });
});

it("refuses a config that does not exist, and a timeout that is no time", () => {
  expect(run("--timeout", "soon")).toMatchObject({ status: 2, stderr: "--timeout soon: expected a number of seconds.\n" });
});
