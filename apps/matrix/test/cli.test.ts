import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readMatrix } from "@batchnorm/conformance/matrix";
import { ROOT, run } from "@batchnorm/packing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The command as `pnpm conformance:all` runs it. */
function matrix(...argv: string[]): ReturnType<typeof run> {
  return run(process.execPath, ["--conditions=@batchnorm/source", MAIN, ...argv], { cwd: ROOT });
}

let directory: string;
beforeAll(() => {
  // Some machines require everything; here it is the command that is tested.
  delete process.env.REQUIRE_ALL;
  directory = mkdtempSync(join(tmpdir(), "matrix-test-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

it("lists the cells of all shards, each once", async () => {
  const whole = await matrix("--list");
  const parts = await Promise.all([1, 2, 3].map((index) => matrix("--list", "--shard", `${index}/3`)));
  const lines = (text: string): string[] => text.trim().split("\n").sort();
  expect(lines(parts.map(({ stdout }) => stdout).join(""))).toEqual(lines(whole.stdout));
  expect(whole.stdout).toContain("firefox onnx/wasm (quick)\n");
});

it.each([
  [["--runtime", "node-21"], "there is none of this name"],
  [["--shard", "3/2"], "expected i/n"],
  [["--jobs", "0"], "not a positive whole number"],
  [["--depth", "deep"], "once, quick, whole"],
  [["merge", "no-such-file.json"], "no such file"],
  [["--packed", "apps/matrix/test"], "has no packed packages"],
  [["pack", "apps/matrix/test"], "is not empty"],
])("%j is a wrong use", async (argv, sentence) => {
  const { status, stderr } = await matrix(...argv);
  expect(status).toBe(2);
  expect(stderr).toContain(sentence);
});

describe("one backend on two runtimes, of which the machine has one", () => {
  let ran: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    process.env.FIREFOX = join(directory, "no-firefox");
    ran = await matrix("--runtime", "node-24", "--runtime", "firefox", "--backend", "cpu", "--depth", "quick", "--out", directory);
  }, 300_000);
  afterAll(() => {
    delete process.env.FIREFOX;
  });

  it("runs the packed packages, and says what was not run and how to get it", () => {
    expect(ran.stdout).toMatch(/✓ node-24 {2}cpu {2}\d+ passed/);
    expect(ran.stdout).toContain("Firefox was not run (firefox): FIREFOX is ");
    expect(ran.stdout).toContain("To get it: `apt-get install firefox-esr`");
    expect(ran.stdout).toContain("Conforms: all 1 cells that were run. 1 of 2 cells were run, 0 of them with the whole suite.");
    expect(ran.status).toBe(0);
  });

  it("writes the result file and the pages", () => {
    const { suite, runtimes, cells } = readMatrix(readFileSync(join(directory, "matrix.json"), "utf8"));
    expect(runtimes.map(({ id, version, status }) => [id, version, status])).toEqual([
      ["node-24", "24.21.0", "ran"],
      ["firefox", null, "not-run"],
    ]);
    expect(cells[0]).toMatchObject({
      backend: "cpu",
      status: "ran",
      run: { quick: true },
      result: { failed: 0, notRun: 0, skipped: 0, problems: [] },
    });
    expect(cells[0].status === "ran" && cells[0].result.passed).toBe(cells[0].status === "ran" && cells[0].run.selected);
    expect(suite.checks).toBeGreaterThan(900);
    for (const page of ["matrix.md", "matrix-clauses.md", "matrix.xml"]) expect(existsSync(join(directory, page)), page).toBe(true);
    expect(readFileSync(join(directory, "matrix.md"), "utf8")).toMatch(/\| cpu \| ✓ \d+ \([01]\.\d+\) \*quick\* \| not run \|/);
  });

  it("fails where everything is required, merges, and sees pages that are out of date", async () => {
    const file = join(directory, "matrix.json");
    const merged = join(directory, "merged");
    expect((await matrix("merge", file, "--out", merged)).status).toBe(0);
    expect(readFileSync(join(merged, "matrix.json"), "utf8")).toBe(readFileSync(file, "utf8"));
    expect((await matrix("render", merged, "--check")).status).toBe(0);
    writeFileSync(join(merged, "matrix.md"), "old\n");
    const stale = await matrix("render", merged, "--check");
    expect([stale.status, stale.stderr]).toEqual([1, expect.stringContaining("matrix.md is not what")]);
    process.env.REQUIRE_ALL = "1";
    try {
      const required = await matrix("merge", file, "--out", merged);
      expect([required.status, required.stdout]).toEqual([1, expect.stringContaining("what was not run counts as failed")]);
    } finally {
      delete process.env.REQUIRE_ALL;
    }
    expect((await matrix("merge", file, file, "--out", merged)).status).toBe(2);
  });
});
