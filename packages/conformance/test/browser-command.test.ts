import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { BROWSERS, findBrowser, noBrowser } from "../src/browser/find-browser.ts";
import type { BackendResult, Report } from "../src/report.ts";
import { buildIfStale } from "./build.ts";
import { fixture, spawnCommand } from "./run-command.ts";

// In this rule of the contract the backends of the fixture do what they do, and in vectors they do not.
const RULE = "contract/empty-inference";
const CHECKS = [RULE, "inference/rank2-axis1-6x3"];

beforeAll(() => buildIfStale("spec", "conformance"), 300_000);

describe.each(BROWSERS)("--browser %s", (name) => {
  const missing = noBrowser(name);
  const run = (...argv: readonly string[]) => spawnCommand(["--browser", name, ...argv], tmpdir());

  it.skipIf(missing !== null)(
    `runs each backend in a page of its own${missing === null ? "" : ` (skipped: ${missing})`}`,
    () => {
      const checks = CHECKS.flatMap((id) => ["--check", id]);
      const { status, stdout, stderr } = run(fixture("browser/faults.mjs"), ...checks, "--timeout", "6", "--reporter", "json");
      const { results } = JSON.parse(stdout) as Report;
      const of = (backend: string): BackendResult => results.find((each) => each.backend === backend)!;
      const failed = (backend: string): unknown[] =>
        of(backend).cases.flatMap((each) => (each.status === "failed" ? [[each.id, each.lost, each.failures[0].message]] : []));

      expect(status).toBe(1);
      expect(results.map(({ backend }) => backend)).toEqual(["hanging", "leaving", "rejecting", "talking"]);
      expect(failed("hanging")).toEqual([[RULE, "timed out", "clause 5.5: the backend did not answer within 6 s."]]);
      expect(failed("leaving")).toEqual([[RULE, "crashed", "clause 5.5: the page crashed, or was left."]]);
      expect(failed("rejecting")).toEqual([[RULE, undefined, "clause 5.5: an error was not caught: nobody waits for this"]]);
      expect(of("talking")).toMatchObject({ passed: CHECKS.length, failed: 0, notRun: 0, problems: [] });
      expect(stderr).toContain("this is noise");
    },
    180_000,
  );

  it.skipIf(missing !== null)("says what is wrong with a module that throws", () => {
    const { status, stdout, stderr } = run(fixture("browser/throws.mjs"), "--only", "5.5");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^\S*throws\.mjs could not be loaded: this module is broken\.\n/);
  });
});

describe("--browser", () => {
  it.skipIf(noBrowser("chromium") !== null)("says what is wrong with a module that cannot be bundled", () => {
    const directory = mkdtempSync(join(tmpdir(), "conformance-browser-"));
    const unparsable = join(directory, "unparsable.mjs");
    writeFileSync(unparsable, "const = 5;\n");
    const { status, stdout, stderr } = spawnCommand(["--browser", "chromium", unparsable], tmpdir());
    rmSync(directory, { recursive: true });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/unparsable\.mjs could not be bundled: [\s\S]*unparsable\.mjs:1:/);
  });

  it.each([
    [["--browser", "lynx", "a.mjs"], /^option '--browser <name>' argument 'lynx' is invalid\. Allowed choices are chromium, firefox\.\n$/],
    [["--browser", "firefox", "nowhere.mjs"], /^nowhere\.mjs does not exist: name a config or an adapter module\.\n$/],
    [["--headed", "a.mjs"], /^--headed shows a browser: name one with --browser\.\n$/],
    [
      ["--browser", "firefox", "--exec", "python a.py"],
      /^--exec starts a program, and --browser opens a page: an adapter runs in one of them\.\n$/,
    ],
  ])("refuses %j", (argv, words) => {
    const { status, stdout, stderr } = spawnCommand(argv, tmpdir());
    expect([status, stdout, stderr]).toEqual([2, "", expect.stringMatching(words)]);
  });
});

describe("findBrowser", () => {
  it("takes the program that the variable names, and says so when there is none", () => {
    const { FIREFOX, PATH } = process.env;
    try {
      process.env.FIREFOX = process.execPath;
      expect(findBrowser("firefox")).toBe(process.execPath);
      process.env.FIREFOX = "/nowhere/firefox";
      expect(() => findBrowser("firefox")).toThrow("FIREFOX is /nowhere/firefox, where there is no program that may be executed.");
      process.env.FIREFOX = tmpdir();
      expect(() => findBrowser("firefox")).toThrow("where there is no program that may be executed.");
    } finally {
      restore("FIREFOX", FIREFOX);
      restore("PATH", PATH);
    }
  });

  it.runIf(process.platform === "linux")("says how to get one where there is none", () => {
    const { CHROMIUM, PATH } = process.env;
    try {
      delete process.env.CHROMIUM;
      process.env.PATH = "/nowhere";
      expect(() => findBrowser("chromium")).toThrow(
        "There is no chromium on this machine: install one (Debian: apt-get install chromium), or name its program in CHROMIUM.",
      );
    } finally {
      restore("CHROMIUM", CHROMIUM);
      restore("PATH", PATH);
    }
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
