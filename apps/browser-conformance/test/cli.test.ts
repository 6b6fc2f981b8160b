import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendResult, Report } from "@batchnorm/conformance";
import { VECTORS_DIRECTORY } from "@batchnorm/conformance/node";
import { noBrowser, withBrowser } from "@batchnorm/in-browser";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const config = (name: string): string => fileURLToPath(new URL(`configs/${name}.ts`, import.meta.url));

/** A rule of the contract, in which the backends of `faults.ts` do what they do, and vectors. */
const CHECKS = ["contract/empty-inference", "inference/empty-rank2-axis-1-0x4", "inference/rank2-axis1-6x3"];

/** The command as `pnpm conformance:browser` runs it. */
function run(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 26 } as const;
  return spawnSync(process.execPath, ["--conditions=@batchnorm/source", MAIN, ...argv], options);
}

describe.skipIf(noBrowser("chromium") !== null)(withBrowser("chromium", "the suite in Chromium"), () => {
  it("runs one section on a backend", () => {
    const { status, stdout } = run(config("sound"), "--only", "5", "--reporter", "json");
    expect(status).toBe(0);
    const { results, vectors } = JSON.parse(stdout) as Report;
    expect(vectors.sha256).toBe(
      createHash("sha256")
        .update(readFileSync(`${VECTORS_DIRECTORY}/manifest.json`))
        .digest("hex"),
    );
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ backend: "sound", failed: 0, skipped: 0, notRun: 0, problems: [] });
    expect(results[0].passed).toBe(results[0].cases.length);
    expect(new Set(results[0].cases.map(({ clause }) => clause))).toEqual(new Set(["5.1", "5.2", "5.3", "5.4", "5.5"]));
    expect(new Set(results[0].cases.map(({ kind }) => kind))).toEqual(new Set(["contract", "vector", "property"]));
  });

  describe("with backends that do what no check can see", () => {
    let results: readonly BackendResult[];
    const of = (name: string): BackendResult => results.find(({ backend }) => backend === name)!;
    const failed = (name: string): unknown[] =>
      of(name).cases.flatMap(({ id, status, lost, failures }) => (status === "failed" ? [[id, lost, failures[0].message]] : []));

    beforeAll(() => {
      const { status, stdout, stderr } = run(
        ...CHECKS.flatMap((id) => ["--check", id]),
        "--timeout",
        "8",
        "--reporter",
        "json",
        config("faults"),
      );
      expect([status, stderr]).toEqual([1, ""]);
      ({ results } = JSON.parse(stdout) as Report);
    }, 120_000);

    it("has a result for each of them", () => {
      expect(results.map(({ backend }) => backend)).toEqual(["noisy", "backend 2", "hanging", "leaving", "rejecting", "sound"]);
      for (const { cases } of results) expect(cases).toHaveLength(results[0].cases.length);
    });

    it("reports the console and what nobody caught while a backend was made", () => {
      expect(of("noisy").failed).toBe(0);
      expect(of("noisy").problems[0]).toBe("The console shows an error: the console shows this (while the backend was made)");
      expect(of("noisy").problems[1]).toMatch(/^An error was not caught while the backend was made: nobody catches this/);
      expect(of("backend 2").problems[0]).toMatch(/^Backend 2 of the config could not be made: there is no such device/);
      expect(of("backend 2").notRun).toBe(of("backend 2").cases.length);
    });

    it("fails the check in which a page hangs, is left, or does not catch an error, and goes on in a new one", () => {
      const [id] = CHECKS;
      expect(failed("hanging")).toEqual([[id, "timed out", "clause 5.5: the backend did not answer within 8 s."]]);
      expect(failed("leaving")).toEqual([[id, "crashed", expect.stringMatching(/^clause 5\.5: the page was left/)]]);
      expect(failed("rejecting")).toEqual([[id, undefined, "clause 5.5: an error was not caught: nobody waits for this"]]);
      for (const name of ["hanging", "leaving", "rejecting"]) expect(of(name).notRun).toBe(0);
      expect(of("sound")).toMatchObject({ failed: 0, notRun: 0, problems: [] });
    });
  });

  it("leaves out the backends that were not asked for", () => {
    const { status, stdout } = run("--only", "5.5", "--backend", "sound", "--reporter", "json", config("faults"));
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Report).results.map(({ backend }) => backend)).toEqual(["sound"]);
  });

  it("says what is wrong with a config that throws, or cannot be built", () => {
    const { status, stderr } = run("--only", "5.5", config("throws"));
    expect([status, stderr]).toEqual([2, expect.stringMatching(/throws\.ts could not be loaded: the config is broken\.\n {2}at /)]);
    const directory = mkdtempSync(join(tmpdir(), "browser-conformance-"));
    const unparsable = join(directory, "unparsable.ts");
    writeFileSync(unparsable, "const = 5;\n");
    const built = run("--only", "5.5", unparsable);
    rmSync(directory, { recursive: true });
    expect([built.status, built.stderr]).toEqual([2, expect.stringMatching(/unparsable\.ts could not be built: [\s\S]*unparsable\.ts:1:/)]);
  });

  it("refuses a backend that is not in the config", () => {
    const { status, stderr } = run("--backend", "abacus", "--only", "5.5", config("sound"));
    expect([status, stderr]).toEqual([2, `--backend abacus: not in ${config("sound")}, expected one of sound.\n`]);
  });
});

it("refuses a config that does not exist, and a timeout that is no time", () => {
  expect(run("--timeout", "soon")).toMatchObject({
    status: 2,
    stderr: "option '--timeout <seconds>' argument 'soon' is invalid. It is not a number of seconds.\n",
  });
  const missing = run("nowhere.ts");
  expect([missing.status, missing.stderr]).toEqual([2, expect.stringMatching(/^(nowhere\.ts does not exist|There is no chromium)/)]);
});
