import { tmpdir } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import type { BackendResult, CaseResult, Report } from "../src/report.ts";
import { buildIfStale } from "./build.ts";
import { fixture, spawnCommand } from "./run-command.ts";

// In this rule of the contract the backends of the fixtures misbehave, and in vectors they do not.
const RULE = "contract/empty-inference";
const CHECKS = [RULE, "inference/empty-rank2-axis-1-0x4", "inference/empty-rank3-axis-1-2x0x3", "inference/rank2-axis1-6x3"];
const OPTIONS = [...CHECKS.flatMap((id) => ["--check", id]), "--timeout", "10", "--reporter", "json"];

let report: Report;
let stderr: string;
let status: number | null;

beforeAll(() => {
  buildIfStale("spec", "conformance");
  const run = spawnCommand([fixture("misbehaving/config.mjs"), ...OPTIONS], tmpdir());
  ({ stderr, status } = run);
  report = JSON.parse(run.stdout);
}, 300_000);

const of = (name: string): BackendResult => report.results.find(({ backend }) => backend === name)!;
const inRule = (name: string): CaseResult => of(name).cases.find(({ id }) => id === RULE)!;

/** Everything but the rule is as with the sound backend. */
function expectOnlyTheRule(name: string, rule: unknown): void {
  expect(of(name).problems).toEqual([]);
  expect(inRule(name)).toMatchObject(rule as object);
  expect(
    of(name)
      .cases.filter(({ status }) => status !== "passed")
      .map(({ id }) => id),
  ).toEqual([RULE]);
}

describe("a backend that misbehaves", () => {
  it("does not keep the others from being run: there is a result for each, and one for each of their checks", () => {
    expect(status).toBe(1);
    expect(report.results).toHaveLength(16);
    expect(of("sound")).toMatchObject({ failed: 0, notRun: 0, skipped: 0, problems: [] });
    for (const { cases } of report.results) expect(cases.map(({ id }) => id).sort()).toEqual([...CHECKS].sort());
  });

  it.each([
    ["exits", "crashed", "the process ended with exit code 0"],
    ["aborts", "crashed", "the process was ended by SIGABRT"],
    ["kills itself", "crashed", "the process was ended by SIGKILL"],
    ["hangs", "timed out", "the backend did not answer within 10 s"],
    ["never answers", "timed out", "the backend never answers: nothing was left to run that could have"],
    ["waits for too long", "timed out", "the backend did not answer within 10 s"],
  ])("that %s fails the check in which it does", (name, lost, what) => {
    expectOnlyTheRule(name, { status: "failed", lost, failures: [{ message: `clause 5.5: ${what}.` }] });
  });

  it.each([
    ["rejects", "RangeError: nobody waits for this", "config.mjs"],
    ["throws later", "Error: nobody catches this", "later"],
  ])("that %s fails the check in which nobody caught it, with the stack", (name, what, where) => {
    expectOnlyTheRule(name, {
      status: "failed",
      failures: [{ message: `clause 5.5: an error was not caught: ${what}`, stack: expect.stringContaining(where) }],
    });
    expect(inRule(name).lost).toBeUndefined();
  });

  it("that throws fails the check, with the stack down to the suite", () => {
    expectOnlyTheRule("throws at once", {
      failures: [
        {
          message: "clause 5.5: the backend threw TypeError: x is not what it was",
          stack: expect.stringMatching(/^at .*broken .*config\.mjs:\d+:\d+/),
        },
      ],
    });
    expect(inRule("throws at once").failures[0].stack).not.toMatch(/node:internal|conformance\/dist/);
  });

  it.each([
    ["backend 10", "Backend 10 of the config could not be made: there is no such device"],
    ["backend 11", "The backend never answers: nothing was left to run that could have while the backend was made."],
    ["backend 12", "The process ended with exit code 0 while the backend was made."],
  ])("that cannot be made is %s, and none of its checks is run", (name, problem) => {
    const { problems, notRun, cases } = of(name);
    expect(problems.map((each) => each.split("\n")[0])).toEqual([problem]);
    expect(notRun).toBe(cases.length);
    expect(cases[0].reason).toBe("the backend could not be made");
  });

  it("that has an empty manifest is told so, field by field", () => {
    const { problems, notRun, cases } = of("empty manifest");
    expect(problems).toEqual([
      expect.stringMatching(/^The manifest is not in order: maxRank is undefined, expected null, or .*dtypes is undefined/),
    ]);
    expect(notRun).toBe(cases.length);
  });

  it("that prints, or sends messages of its own, does not break the report", () => {
    expect(of("talks")).toMatchObject({ failed: 0, problems: [] });
    expect(stderr).toContain("this is noise");
  });

  it("that gives BigInt does not break the report", () => {
    expect(of("bigint").problems).toEqual(["The backend is written for version 1n of the contract, this suite checks version 1."]);
    const failed = of("bigint").cases.filter(({ status }) => status === "failed");
    expect(failed.length).toBeGreaterThan(0);
    expect(failed[0].failures[0].message).toContain("BigInt64Array");
  });
});

it("a factory that throws does not keep another backend from being run alone", () => {
  const { stdout } = spawnCommand([fixture("misbehaving/config.mjs"), ...OPTIONS, "--backend", "exits"], tmpdir());
  expect((JSON.parse(stdout) as Report).results.map(({ backend }) => backend)).toEqual(["exits"]);
});

it("out of memory is one backend's own end, too", () => {
  const argv = [fixture("misbehaving/fills-memory.mjs"), ...OPTIONS, "--timeout", "60"];
  const { stdout } = spawnCommand(argv, tmpdir(), ["--max-old-space-size=200"]);
  const [{ cases, passed }] = (JSON.parse(stdout) as Report).results;
  expect(cases.filter(({ status }) => status === "failed")).toMatchObject([
    {
      id: RULE,
      lost: "crashed",
      failures: [{ message: "clause 5.5: the process was ended by SIGABRT.", stack: expect.stringContaining("out of memory") }],
    },
  ]);
  expect(passed).toBe(cases.length - 1);
});

it.each([
  ["exits.mjs", "The process ended with exit code 0 while the module was loaded."],
  ["waits.mjs", "The backend never answers: nothing was left to run that could have while the module was loaded."],
])("a module that ends or blocks its process is a failed backend: %s", (name, problem) => {
  const { status, stdout } = spawnCommand([fixture(`misbehaving/${name}`), ...OPTIONS], tmpdir());
  const { results } = JSON.parse(stdout) as Report;
  expect([status, results.map(({ backend, problems, notRun, cases }) => [backend, problems, notRun === cases.length])]).toEqual([
    1,
    [["backend 1", [problem], true]],
  ]);
});
