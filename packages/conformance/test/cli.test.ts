import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../src/command/cli.ts";
import { suiteCommand } from "../src/command/options.ts";
import type { Report } from "../src/report.ts";
import { VERSION } from "../src/version.ts";
import { buildIfStale } from "./build.ts";
import { fixture, spawnCommand } from "./run-command.ts";

const [good, wrong, config] = ["good.mjs", "wrong.mjs", "config.mjs"].map(fixture);
const directory = mkdtempSync(join(tmpdir(), "conformance-cli-"));

beforeAll(() => buildIfStale("spec", "conformance"));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** A file in a directory of its own. */
function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in this process. */
async function run(...argv: readonly string[]): Promise<Result> {
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += text;
      return true;
    });
  }
  const status = await main(argv);
  vi.restoreAllMocks();
  return { status, ...written };
}

/** A wrong use: exit status 2, nothing on stdout, one line of words on stderr. */
function expectOneSentence({ status, stdout, stderr }: Result, words: string): void {
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(new RegExp(words));
  expect(stderr).toMatch(/[.!?)]\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
}

describe("the command line", () => {
  it("exits with 0 where everything passes, and with 1 where something does not", async () => {
    expect(await run(good, "--only", "5.2")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /✓ good {2}\d+ passed[\s\S]*Passed: (\d+) of \1 vectors, (\d+) of \2 checks\. That was \2 of the suite's \d+ checks/,
      ),
      stderr: "",
    });
    expect(await run(wrong, "--only", "5.2")).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/✗ wrong [\s\S]*Failed: \d+ of \d+ checks failed\./),
      stderr: "",
    });
  });

  it("never says that a part of the suite conforms", async () => {
    const { stdout } = await run(good, "--only", "18.1");
    expect(stdout).not.toContain("Conforms");
    expect(stdout).toContain("(--only 18.1), and is no verdict on the whole.");
  });

  it("runs all backends of a config, or those that are named", async () => {
    const names = async (...argv: string[]): Promise<string[]> => {
      const { stdout } = await run(config, "--only", "18.1", "--reporter", "json", ...argv);
      return JSON.parse(stdout).results.map(({ backend }: { backend: string }) => backend);
    };
    expect(await names()).toEqual(["good", "wrong"]);
    expect(await names("--backend", "wrong")).toEqual(["wrong"]);
    expect(await names("--backend", "wrong", "--backend", "good")).toEqual(["good", "wrong"]);
  });

  it("takes an adapter in TypeScript", async () => {
    expect(await run(fixture("good.ts"), "--only", "18.1")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("✓ good/typescript"),
    });
  });

  it("runs one clause, one section or single checks", async () => {
    const report = async (...argv: string[]): Promise<Report> => JSON.parse((await run(good, "--reporter", "json", ...argv)).stdout);
    const clauses = ({ results }: Report): Set<string> => new Set(results[0].cases.map(({ clause }) => clause));
    expect(clauses(await report("--only", "5.2"))).toEqual(new Set(["5.2"]));
    expect(clauses(await report("--only", "2"))).toEqual(new Set(["2.1", "2.2", "2.3", "2.4", "2.5"]));
    const checks = ["contract/version", "contract/manifest"];
    const single = await report(...checks.flatMap((id) => ["--check", id]));
    expect(single.results[0].cases.map(({ id }) => id).sort()).toEqual([...checks].sort());
    expect(single.run).toMatchObject({ filter: { only: null, checks, quick: false }, selected: 2 });
  });

  it("says with which seed, filter, time-out and backends it ran, and how long everything took", async () => {
    const argv = ["--only", "18", "--seed", "7", "--runs", "3", "--timeout", "5.5", "--backend", "good", "--quick"];
    const { run: info, results, suiteVersion } = JSON.parse((await run(config, "--reporter", "json", ...argv)).stdout) as Report;
    expect(info).toMatchObject({
      filter: { only: "18", checks: [], quick: true },
      backends: ["good"],
      seed: 7,
      runs: 3,
      timeout: 5500,
    });
    expect(info.duration).toBeGreaterThan(results[0].duration);
    expect(results[0].duration).toBeGreaterThan(0);
    expect(results[0].cases.every(({ duration }) => duration >= 0)).toBe(true);
    expect(suiteVersion).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("shows a single check with its case, and what was given for it", async () => {
    const { status, stdout } = await run(config, "--check", "inference/epsilon0.01-rank2-axis1-6x3");
    expect(status).toBe(1);
    for (const part of [
      "clause 5.2, Epsilon is inside the root",
      /config {2}\{ axis: 1, momentum: 0\.99, epsilon: 0\.01, /,
      /gamma +\[[-\d.]+, [-\d.]+, [-\d.]+\]/,
      /movingVariance +\[/,
      /step 0 {2}training: false, trainable: true/,
      /x {2}\[6, 3\] {2}\[/,
      /y +expected +keras\/tensorflow +good +error +error\/bound +wrong +error +error\/bound/,
      /\[5,2\] .* ULP/,
    ]) {
      expect(stdout).toMatch(part);
    }
  });

  it("shows the rule of a check without numbers", async () => {
    const { stdout } = await run(good, "--check", "contract/version");
    expect(stdout).toContain("contract/version\nclause 18.1, Version\nA backend MUST carry the literal specVersion: 1.\n");
  });

  it.each([
    ["pretty", /5\.2 +Epsilon is inside the root[\s\S]*✓ good/],
    ["json", /^\{\n "specVersion": 1,/],
    ["junit", /^<\?xml version="1\.0"/],
    ["markdown", /^# Conformance\n/],
  ])("reports as %s, to the terminal or to a file", async (reporter, expected) => {
    const argv = [good, "--only", "5.2", "--reporter", reporter];
    expect((await run(...argv)).stdout).toMatch(expected);
    const out = join(directory, `report.${reporter}`);
    expect(await run(...argv, "--out", out)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(out, "utf8")).toMatch(expected);
  });

  it("writes more reports of the same run", async () => {
    const [xml, page] = ["also.xml", "also.md"].map((name) => join(directory, name));
    const { status, stdout } = await run(good, "--only", "5.2", "--also", `junit=${xml}`, "--also", `markdown=${page}`);
    expect([status, stdout]).toEqual([0, expect.stringContaining("✓ good")]);
    expect(readFileSync(xml, "utf8")).toContain("<testsuites");
    expect(readFileSync(page, "utf8")).toContain("| good");
  });

  it("draws the random cases of a seed", async () => {
    const message = async (seed: string): Promise<string> => {
      const { stdout } = await run(wrong, "--check", "property/oracle-inference", "--reporter", "json", "--seed", seed);
      return JSON.parse(stdout).results[0].cases[0].failures[0].message;
    };
    expect(await message("3")).toContain("seed 3");
    expect(await message("3")).toBe(await message("3"));
  });

  describe("with deviations", () => {
    const ids = ["inference/epsilon0.01-rank2-axis1-6x3", "inference/epsilon1-rank2-axis1-6x3"];
    const checks = ids.flatMap((id) => ["--check", id]);
    const deviations = (list: unknown): string => file("deviations.json", JSON.stringify(list));

    it("is green when every failure is listed", async () => {
      const listed = ids.map((id) => ({ backend: "wrong", id, output: "y", reason: "it leaves epsilon out" }));
      const { status, stdout } = await run(wrong, ...checks, "--deviations", deviations(listed));
      expect([status, stdout]).toEqual([0, expect.stringContaining("! 2 known to deviate: it leaves epsilon out")]);
    });

    it("takes them from a config, too", async () => {
      const list = JSON.stringify(ids.map((id) => ({ id, output: "y", reason: "known" })));
      const path = file(
        "config.mjs",
        `import wrong from ${JSON.stringify(wrong)};\nexport default { backends: [wrong], deviations: ${list} };`,
      );
      expect((await run(path, ...checks)).stdout).toContain("! 2 known to deviate: known");
    });

    it("fails when a listed failure did not happen, or is of no check or no backend", async () => {
      const only = async (...list: object[]): Promise<Result> => run(good, "--only", "18.1", "--deviations", deviations(list));
      const reason = "was wrong";
      expect(await only({ id: "contract/version", reason, message: "specVersion" })).toMatchObject({
        status: 1,
        stdout: expect.stringContaining(
          'It is listed as a deviation (was wrong) for a failure that says "specVersion", which did not happen',
        ),
      });
      expect(await only({ id: "contract/versions", reason, output: "y" })).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("The deviation contract/versions names no check"),
      });
      expect(await only({ backend: "goood", id: "contract/version", reason, output: "y" })).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("The deviation contract/version names the backend goood, expected one of good."),
      });
    });

    it("leaves those of backends alone that were not asked for", async () => {
      const list = deviations([{ backend: "wrong", id: ids[0], reason: "known", output: "y" }]);
      expect((await run(config, "--only", "18.1", "--backend", "good", "--deviations", list)).status).toBe(0);
    });

    it.each([
      ["no JSON", "[{", "could not be read"],
      ["no list", '{ "id": "a", "reason": "b" }', "is not a list of { id, reason, output or message, share\\?, backend\\? }"],
      ["an entry that excuses everything", '[{ "id": "a", "reason": "b" }]', "is not a list of"],
    ])("refuses a file with %s", async (_, text, words) => {
      expectOneSentence(await run(good, "--deviations", file("bad.json", text)), `--deviations .*bad.json ${words}`);
    });

    it("refuses a file that does not exist", async () => {
      expectOneSentence(
        await run(good, "--deviations", join(directory, "nowhere.json")),
        "--deviations .*nowhere.json could not be read: ENOENT",
      );
    });

    it("refuses a config whose list is malformed", async () => {
      const path = file(
        "malformed.mjs",
        `import good from ${JSON.stringify(good)};\nexport default { backends: [good], deviations: [{ id: "a" }] };`,
      );
      expectOneSentence(await run(path), "malformed.mjs has deviations that are not a list of");
    });
  });

  describe("refuses in one sentence", () => {
    it.each([
      [
        "a module that does not exist",
        () => [join(directory, "nowhere.mjs")],
        "nowhere.mjs does not exist: name a config or an adapter module",
      ],
      [
        "a module without a default export",
        () => [file("none.mjs", "export const backend = 1;")],
        "none.mjs exports undefined by default, expected a config",
      ],
      ["a default export that is no backend", () => [file("text.mjs", 'export default "cpu";')], 'text.mjs exports "cpu" by default'],
      [
        "a config without backends",
        () => [file("empty.mjs", "export default { backends: [] };")],
        "empty.mjs has an empty list of backends",
      ],
      ["a module that throws no error", () => [file("odd.mjs", "throw 7;")], "odd.mjs could not be loaded: 7"],
      [
        "a package that is not installed",
        () => [file("missing.mjs", 'import "not-installed";')],
        "missing.mjs could not be loaded: .*not-installed",
      ],
      [
        "a check that does not exist",
        () => [good, "--check", "nowhere"],
        "--check nowhere: there is no such check, expected an id as a report has it",
      ],
      [
        "a check that is misspelt",
        () => [good, "--check", "contract/versio"],
        "--check contract/versio: .* expected one such as contract/version",
      ],
      [
        "a check outside of the clause",
        () => [good, "--check", "contract/version", "--only", "5"],
        "No check of the suite is all that was asked for",
      ],
      [
        "a time that is none",
        () => [good, "--timeout", "0"],
        "option '--timeout <seconds>' argument '0' is invalid. It is not a number of seconds",
      ],
      ["an endless time", () => [good, "--timeout", "Infinity"], "argument 'Infinity' is invalid"],
      ["a clause that does not exist", () => [good, "--only", "99.1"], "--only 99.1: there is no such clause"],
      ["a clause that is text", () => [good, "--only", "epsilon"], "--only epsilon: there is no such clause"],
      ["a section that no backend can fail", () => [good, "--only", "15"], "--only 15: no check of the suite is about this"],
      [
        "a backend that is not in the config",
        () => [config, "--backend", "best"],
        "--backend best: not in .*config.mjs, expected one of good, wrong",
      ],
      [
        "a reporter that does not exist",
        () => [good, "--reporter", "tap"],
        "option '--reporter <name>' argument 'tap' is invalid. Allowed choices are pretty, json, junit, markdown",
      ],
      [
        "a seed that is no number",
        () => [good, "--seed", "x"],
        "option '--seed <number>' argument 'x' is invalid. It is not a whole number",
      ],
      ["no runs", () => [good, "--runs", "0"], "option '--runs <number>' argument '0' is invalid. It is not a positive number"],
      ["half a run", () => [good, "--runs", "1.5"], "argument '1.5' is invalid"],
      [
        "a report into a directory that does not exist",
        () => [good, "--out", join(directory, "no/report.json")],
        "option '--out <file>' .* Its directory does not exist",
      ],
      ["another report without a file", () => [good, "--also", "junit"], "argument 'junit' is invalid. It is not one of pretty, json, "],
      [
        "another report into a directory that does not exist",
        () => [good, "--also", `junit=${join(directory, "no/report.xml")}`],
        "option '--also <name=file>' .* Its directory does not exist",
      ],
      ["an unknown option", () => [good, "--mutant"], "unknown option '--mutant'"],
      ["an option without its value", () => [good, "--only"], "option '--only <clause>' argument missing"],
      ["two modules", () => [good, wrong], "too many arguments"],
      ["vectors that are not there", () => [good, "--vectors", directory], "--vectors .* could not be read: ENOENT"],
    ])("%s", async (_, argv, words) => {
      expectOneSentence(await run(...argv()), words);
    });

    it("a module that throws: with its frames below", async () => {
      const path = file("throws.mjs", 'function make() {\n  throw new Error("there is no GPU\\nand no other");\n}\nmake();');
      expect(await run(path)).toEqual({
        status: 2,
        stdout: "",
        stderr: expect.stringMatching(
          /^\S*throws\.mjs could not be loaded: there is no GPU\.\n {2}at make \(\S*throws\.mjs:2:9\)\n {2}at \S*throws\.mjs:4:1\n$/,
        ),
      });
    });

    it.each([
      [
        "JavaScript",
        "broken.mjs",
        "export default 1;\nconst = 5;\n",
        /broken\.mjs could not be loaded: .*\n {2}file:\S*broken\.mjs:2\n {2}const = 5;\n +\^/,
      ],
      ["TypeScript", "broken.ts", "export default 1;\nconst = 5;\n", /broken\.ts could not be loaded: .*\n {2}at \S*broken\.ts:2:\d+\n$/],
      [
        "an import",
        "imports.mjs",
        'import "./broken.mjs";\n',
        /imports\.mjs could not be loaded: .*\n {2}file:\S*broken\.mjs:2\n {2}const = 5;/,
      ],
    ])("%s that does not parse: with the line", async (_, name, text, expected) => {
      file("broken.mjs", "export default 1;\nconst = 5;\n");
      expect(await run(file(name, text))).toEqual({ status: 2, stdout: "", stderr: expect.stringMatching(expected) });
    });

    it("a directory", async () => {
      const { status, stderr } = await run(directory);
      expect([status, stderr]).toEqual([2, expect.stringMatching(/could not be loaded: /)]);
    });
  });
});

describe("the executable", () => {
  const spawn = (...argv: string[]) => spawnCommand(argv, directory);

  it("exits with 0, 1 or 2, and prints what main does", () => {
    const right = spawn(good, "--only", "5.2");
    expect([right.status, right.stderr]).toEqual([0, ""]);
    expect(right.stdout).toContain("Passed: ");
    expect(right.stdout).not.toContain("\u001B");
    expect(spawn(wrong, "--only", "5.2").status).toBe(1);
    const misused = spawn(good, "--only", "99");
    expectOneSentence({ ...misused, status: misused.status! }, "--only 99: there is no such clause");
  });

  it("finds the config of the directory, and says so where there is none", () => {
    const none = spawn();
    expectOneSentence({ ...none, status: none.status! }, "There is no conformance.config.ts here: name a config or an adapter module.");
    const path = file("conformance.config.mjs", `export { default } from ${JSON.stringify(good)};`);
    expect(spawn("--only", "18.1").status).toBe(0);
    rmSync(path);
  });

  it("does not mind a reader that has read enough", () => {
    const bin = fileURLToPath(new URL("../bin/batchnorm-conformance.js", import.meta.url));
    const shell = `'${process.execPath}' '${bin}' '${good}' --only 18.1 --reporter json | true`;
    expect(spawnSync("bash", ["-c", shell], { encoding: "utf8", cwd: directory }).stderr).toBe("");
  });

  it("explains itself, with examples and exit codes", () => {
    const { status, stdout } = spawn("--help");
    expect(status).toBe(0);
    for (const { long } of suiteCommand("any").options) expect(stdout).toContain(long);
    expect(stdout).toMatch(/Examples:\n {2}batchnorm-conformance my-adapter\.mjs/);
    expect(stdout).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
  });

  it("has the version of the package", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(spawn("--version")).toMatchObject({ status: 0, stdout: `${version}\n` });
    expect(VERSION).toBe(version);
  });
});
