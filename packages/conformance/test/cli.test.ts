import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../src/cli.ts";
import { buildIfStale } from "./build.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
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

/** The real executable in a process of its own. */
function spawn(argv: readonly string[], cwd = directory): SpawnSyncReturns<string> {
  const bin = fileURLToPath(new URL("../bin/batchnorm-conformance.js", import.meta.url));
  return spawnSync(process.execPath, [bin, ...argv], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
}

/** A wrong use: exit status 2, nothing on stdout, one line of words on stderr. */
function expectOneSentence({ status, stdout, stderr }: Result, words: string): void {
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(new RegExp(words));
  expect(stderr).toMatch(/[.!?)]\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
}

const QUICK = ["--runs", "2"];

describe("the command line", () => {
  it("exits with 0 where everything conforms, and with 1 where something does not", async () => {
    expect(await run(good, ...QUICK)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/✓ good {2}\d+ passed, 0 failed[\s\S]*Conforms: /),
      stderr: "",
    });
    expect(await run(wrong, ...QUICK)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/✗ wrong [\s\S]*Does not conform: /),
      stderr: "",
    });
  });

  it("runs all backends of a config, or those that are named", async () => {
    const names = async (...argv: string[]): Promise<string[]> => {
      const { stdout } = await run(config, "--only", "17", "--reporter", "json", ...argv);
      return JSON.parse(stdout).results.map(({ backend }: { backend: string }) => backend);
    };
    expect(await names()).toEqual(["good", "wrong"]);
    expect(await names("--backend", "wrong")).toEqual(["wrong"]);
    expect(await names("--backend", "wrong", "--backend", "good")).toEqual(["good", "wrong"]);
  });

  it("takes an adapter in TypeScript", async () => {
    expect(await run(fixture("good.ts"), "--only", "5.2")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("✓ good/typescript"),
    });
  });

  it("runs one clause, or one section", async () => {
    const clauses = async (only: string): Promise<Set<string>> => {
      const { stdout } = await run(good, "--only", only, "--reporter", "json", ...QUICK);
      return new Set(JSON.parse(stdout).results[0].cases.map(({ clause }: { clause: string }) => clause));
    };
    expect(await clauses("5.2")).toEqual(new Set(["5.2"]));
    expect(await clauses("7")).toEqual(new Set(["7.1", "7.2", "7.3", "7.4", "7.5"]));
  });

  it.each([
    ["pretty", /✓ good[\s\S]*5\.2 +Epsilon is inside the root/],
    ["json", /^\{\n "specVersion": 1,/],
    ["junit", /^<\?xml version="1\.0"/],
    ["markdown", /^# Conformance\n/],
  ])("reports as %s, to the terminal or to a file", async (reporter, expected) => {
    const { stdout } = await run(good, "--only", "5.2", "--reporter", reporter);
    expect(stdout).toMatch(expected);
    const out = join(directory, `report.${reporter}`);
    expect(await run(good, "--only", "5.2", "--reporter", reporter, "--out", out)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(out, "utf8")).toBe(stdout);
  });

  it("shows the mutants, each caught", async () => {
    const { status, stdout } = await run(good, "--only", "5.2", "--mutants");
    expect(status).toBe(0);
    const [, caught, all] = /✓ mutants {2}(\d+) of (\d+) wrong backends caught/.exec(stdout)!;
    expect(caught).toBe(all);
  });

  it("draws the random cases of a seed", async () => {
    const message = async (seed: string): Promise<string> =>
      JSON.parse((await run(wrong, "--only", "12.7", "--reporter", "json", "--seed", seed)).stdout).results[0].cases.find(
        ({ id }: { id: string }) => id === "property/scale",
      ).failures[0]?.message;
    expect(await message("3")).toContain("seed 3");
    expect(await message("3")).toBe(await message("3"));
  });

  describe("with deviations", () => {
    const failing = async (): Promise<string[]> => {
      const { stdout } = await run(wrong, "--only", "5.2", "--reporter", "json");
      return JSON.parse(stdout).results[0].cases.flatMap(({ id, status }: { id: string; status: string }) =>
        status === "failed" ? [id] : [],
      );
    };
    const deviations = (list: unknown): string => file("deviations.json", JSON.stringify(list));

    it("is green when every failure is listed", async () => {
      const listed = (await failing()).map((id) => ({ backend: "wrong", id, reason: "it leaves epsilon out" }));
      expect(listed.length).toBeGreaterThan(5);
      const { status, stdout } = await run(wrong, "--only", "5.2", "--deviations", deviations(listed));
      expect([status, stdout]).toEqual([0, expect.stringContaining(`! ${listed.length} known to deviate: it leaves epsilon out`)]);
    });

    it("takes them from a config, too", async () => {
      const [id] = await failing();
      const path = file(
        "config.mjs",
        `import wrong from ${JSON.stringify(wrong)};\nexport default { backends: [wrong], deviations: [{ id: "${id}", reason: "known" }] };`,
      );
      expect((await run(path, "--only", "5.2")).stdout).toContain("! 1 known to deviate: known");
    });

    it("fails when a listed check passes, or does not exist", async () => {
      const passes = await run(good, "--only", "18.1", "--deviations", deviations([{ id: "contract/version", reason: "was wrong" }]));
      expect([passes.status, passes.stdout]).toEqual([
        1,
        expect.stringContaining("is listed as a deviation (was wrong) but passes: take it off the list."),
      ]);
      const unknown = await run(good, "--only", "18.1", "--deviations", deviations([{ id: "contract/versions", reason: "was wrong" }]));
      expect([unknown.status, unknown.stdout]).toEqual([1, expect.stringContaining("The deviation contract/versions names no check")]);
    });

    it.each([
      ["no JSON", "[{", "could not be read"],
      ["no list", '{ "id": "a", "reason": "b" }', "is no list of"],
      ["an entry without a reason", '[{ "id": "a" }]', "is no list of"],
      ["an empty reason", '[{ "id": "a", "reason": " " }]', "is no list of"],
      ["a misspelt field", '[{ "id": "a", "reason": "b", "backends": "c" }]', "is no list of"],
      ["a backend that is no name", '[{ "id": "a", "reason": "b", "backend": 1 }]', "is no list of"],
      ["null in the list", "[null]", "is no list of"],
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
      expectOneSentence(await run(path), "malformed.mjs has deviations that are no list of");
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
      [
        "a module that throws",
        () => [file("throws.mjs", 'throw new Error("there is no GPU");')],
        "throws.mjs could not be loaded: there is no GPU",
      ],
      [
        "a module that throws several lines",
        () => [file("lines.mjs", 'throw new Error("no GPU\\n    at stack");')],
        "lines.mjs could not be loaded: no GPU",
      ],
      ["a module that throws no error", () => [file("odd.mjs", "throw 7;")], "odd.mjs could not be loaded: 7"],
      ["TypeScript that does not parse", () => [file("broken.ts", "export default {")], "broken.ts could not be loaded: "],
      [
        "a package that is not installed",
        () => [file("missing.mjs", 'import "not-installed";')],
        "missing.mjs could not be loaded: .*not-installed",
      ],
      ["a directory", () => [directory], "could not be loaded: "],
      ["a clause that does not exist", () => [good, "--only", "99.1"], "--only 99.1: there is no such clause"],
      ["a clause that is text", () => [good, "--only", "epsilon"], "--only epsilon: there is no such clause"],
      ["a section that no backend can fail", () => [good, "--only", "15"], "--only 15: no check of the suite is about this"],
      [
        "a backend that is not in the config",
        () => [config, "--backend", "best"],
        "--backend best: not in the config, expected one of good, wrong",
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
      ["an unknown option", () => [good, "--mutant"], "unknown option '--mutant'"],
      ["an option without its value", () => [good, "--only"], "option '--only <clause>' argument missing"],
      ["two modules", () => [good, wrong], "too many arguments"],
      ["vectors that are not there", () => [good, "--vectors", directory], "--vectors .* could not be read: ENOENT"],
    ])("%s", async (_, argv, words) => {
      expectOneSentence(await run(...argv()), words);
    });

    it("a backend that cannot be made: something does not conform, so the status is 1", async () => {
      const { status, stdout, stderr } = await run(file("made.mjs", 'export default () => { throw new Error("no device"); };'));
      expect([status, stdout, stderr]).toEqual([1, "", "Backend 1 of the config could not be made: no device.\n"]);
    });

    it("a maker that makes no backend", async () => {
      const { status, stderr } = await run(file("number.mjs", "export default () => 5;"));
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/^Backend 1 of the config could not be made: it is 5, expected an object with .*\n$/),
      ]);
    });
  });
});

describe("the executable", () => {
  it("exits with 0, 1 or 2, and prints what main does", () => {
    const right = spawn([good, "--only", "5.2"]);
    expect([right.status, right.stderr]).toEqual([0, ""]);
    expect(right.stdout).toContain("Conforms: ");
    expect(right.stdout).not.toContain("\u001B");
    expect(spawn([wrong, "--only", "5.2"]).status).toBe(1);
    const misused = spawn([good, "--only", "99"]);
    expectOneSentence({ ...misused, status: misused.status! }, "--only 99: there is no such clause");
  });

  it("takes TypeScript", () => {
    const { status, stdout } = spawn([fixture("good.ts"), "--only", "5.2"]);
    expect([status, stdout]).toEqual([0, expect.stringContaining("good/typescript")]);
  });

  it("finds the config of the directory, and says so where there is none", () => {
    const none = spawn([]);
    expectOneSentence({ ...none, status: none.status! }, "There is no conformance.config.ts here: name a config or an adapter module.");
    const path = file("conformance.config.mjs", `export { default } from ${JSON.stringify(good)};`);
    expect(spawn(["--only", "5.2"]).status).toBe(0);
    rmSync(path);
  });

  it("explains itself", () => {
    const { status, stdout } = spawn(["--help"]);
    expect(status).toBe(0);
    for (const option of ["--backend", "--only", "--deviations", "--reporter", "--out", "--seed", "--runs", "--mutants", "--vectors"]) {
      expect(stdout).toContain(option);
    }
  });
});
