import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const fixtures = fileURLToPath(new URL("./fixtures/vitest/", import.meta.url));
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));

const directory = mkdtempSync(join(tmpdir(), "conformance-vitest-"));

/** One test of the fixture, as vitest reports it. */
interface Found {
  readonly fullName: string;
  readonly title: string;
  readonly ancestorTitles: readonly string[];
  readonly status: "passed" | "failed" | "skipped" | "pending";
  readonly failureMessages: readonly string[];
}

/** A real run of vitest on one file of the fixture, in a process of its own. */
function runVitest(file: string): { readonly status: number | null; readonly tests: readonly Found[] } {
  const out = join(directory, `${file}.json`);
  const { status, stderr } = spawnSync(
    process.execPath,
    [vitest, "run", "--reporter=json", `--outputFile=${out}`, "--config", "vitest.config.ts", file],
    {
      cwd: fixtures,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  if (!existsSync(out)) throw new Error(`vitest did not run: ${stderr}`);
  const { testResults } = JSON.parse(readFileSync(out, "utf8")) as { testResults: { assertionResults: Found[] }[] };
  return { status, tests: testResults.flatMap(({ assertionResults }) => assertionResults) };
}

afterAll(() => rmSync(directory, { recursive: true }));

describe("conformance() under vitest", () => {
  const good = runVitest("good.suite.ts");
  const wrong = runVitest("wrong.suite.ts");
  const least = runVitest("least.suite.ts");
  const of = ({ tests }: typeof good, status: Found["status"]): readonly Found[] => tests.filter((each) => each.status === status);

  it("passes on a backend that conforms, a test a check, grouped by clause", () => {
    expect(good.status).toBe(0);
    expect(of(good, "passed")).toHaveLength(good.tests.length);
    expect(good.tests.length).toBeGreaterThan(700);
    const [one] = good.tests.filter(({ title }) => title === "contract/version");
    expect(one.ancestorTitles).toEqual(["good conforms", "clause 18.1"]);
  });

  it("fails on one that does not, and says why", () => {
    expect(wrong.status).toBe(1);
    const failed = of(wrong, "failed");
    expect(failed.some(({ ancestorTitles }) => ancestorTitles.includes("clause 5.2"))).toBe(true);
    const vector = failed.find(({ title }) => title.startsWith("inference/epsilon"))!;
    expect(vector.failureMessages.join()).toMatch(
      /failed \d+ times\.\nclause 5\.2, step 0, y\[[\d,]+\]: expected .*, got .*; the error is .* ULP/,
    );
  });

  it("shows a listed deviation as passed, with its reason", () => {
    const [listed] = wrong.tests.filter(({ title }) => title.includes("deviates"));
    expect([listed.title, listed.status]).toEqual(["inference/epsilon0.01-rank2-axis1-6x3 (deviates: it leaves epsilon out)", "passed"]);
  });

  it("fails for a listed check that passes, and for an id that names none", () => {
    const passes = wrong.tests.find(({ title }) => title === "contract/version (deviates: it was wrong once)")!;
    expect([passes.status, passes.failureMessages.join()]).toEqual([
      "failed",
      expect.stringContaining("which did not happen: take it off the list"),
    ]);
    const stale = wrong.tests.find(({ title }) => title === "is written for this version, and has deviations that name it and its checks")!;
    expect([stale.status, stale.failureMessages.join()]).toEqual([
      "failed",
      expect.stringContaining("The deviation nothing/at-all names no check"),
    ]);
    expect(stale.failureMessages.join()).toContain("The deviation nothing/of-mine names the backend another, expected one of wrong.");
  });

  it("shows what the manifest leaves out as skipped, with the reason", () => {
    expect(least.status).toBe(0);
    const skipped = least.tests.filter(({ status }) => status !== "passed");
    expect(skipped.length).toBeGreaterThan(400);
    expect(new Set(skipped.map(({ status }) => status))).toEqual(new Set(["skipped"]));
    expect(skipped.every(({ title }) => / \(.* (is|are) not supported.*\)$/.test(title))).toBe(true);
  });
});
