import { referenceBackend } from "@batchnorm/reference";
import { describe, expect, it } from "vitest";
import { type Check, type Failure, failuresOutcome } from "../src/checks/check.ts";
import { type Deviation, foreignDeviations, isDeviations } from "../src/deviations.ts";
import { runChecks } from "../src/run.ts";

const reason = "a bug of runtime 1.2";
const backend = referenceBackend("reference");

const check = (id: string, failures: readonly Failure[] = [], skip: string | null = null): Check => ({
  id,
  kind: "vector",
  clause: "5.1",
  skip: () => skip,
  run: async () => failuresOutcome(failures),
});

const wrong = (output: "y" | "dx", share: number): Failure => ({ message: `clause 5.1, step 0, ${output}[0]: wrong`, output, share });
const run = (checks: Check[], ...deviations: Deviation[]) => runChecks(backend, checks, { deviations });

describe("a deviation", () => {
  it("excuses the failure that it names, with its reason", async () => {
    const failing = check("a/fails", [wrong("y", 3)]);
    const { cases, failed, xfailed, problems } = await run([failing], { id: "a/fails", reason, output: "y" });
    expect([failed, xfailed, problems]).toEqual([0, 1, []]);
    expect(cases[0]).toMatchObject({ status: "xfailed", reason, failureCount: 1, failures: [{ output: "y" }] });
    const { xfailed: byMessage } = await run([failing], { id: "a/fails", reason, message: "y[0]: wrong" });
    expect(byMessage).toBe(1);
  });

  it("does not excuse another fault of the same check", async () => {
    const both = check("a/fails", [wrong("y", 3), wrong("dx", 2)]);
    const { cases, failed } = await run([both], { id: "a/fails", reason, output: "y" });
    expect(failed).toBe(1);
    expect(cases[0].failures).toEqual([wrong("dx", 2)]);
    const threw = check("a/fails", [{ message: "clause 5.1: the backend threw Error: no device" }]);
    expect((await run([threw], { id: "a/fails", reason, output: "y" })).failed).toBe(1);
  });

  it("excuses errors up to its share of the bound, and no larger ones", async () => {
    const deviation: Deviation = { id: "a/fails", reason, output: "y", share: 4 };
    expect((await run([check("a/fails", [wrong("y", 4)])], deviation)).xfailed).toBe(1);
    expect((await run([check("a/fails", [wrong("y", 3), wrong("y", 5)])], deviation)).failed).toBe(1);
    expect((await run([check("a/fails", [wrong("y", Number.POSITIVE_INFINITY)])], deviation)).failed).toBe(1);
  });

  it("excuses the worst of many errors only if that is within its share, too", async () => {
    const many = Array.from({ length: 50 }, (_, k) => wrong("y", k === 40 ? 9 : 2));
    expect((await run([check("a/fails", many)], { id: "a/fails", reason, output: "y", share: 4 })).failed).toBe(1);
    expect((await run([check("a/fails", many)], { id: "a/fails", reason, output: "y", share: 9 })).xfailed).toBe(1);
  });

  it("excuses nothing where sentences were left out", async () => {
    const many = Array.from({ length: 30 }, () => ({ message: "clause 5.1: wrong" }));
    expect((await run([check("a/fails", many)], { id: "a/fails", reason, message: "wrong" })).failed).toBe(1);
  });

  it("may stand beside another of the same check: together they have to excuse all of it", async () => {
    const both = check("a/fails", [wrong("y", 3), wrong("dx", 2)]);
    const list: Deviation[] = [
      { id: "a/fails", reason: "one", output: "y" },
      { id: "a/fails", reason: "two", output: "dx" },
    ];
    expect((await run([both], ...list)).cases[0]).toMatchObject({ status: "xfailed", reason: "one; two" });
    const { cases } = await run([check("a/fails", [wrong("y", 3)])], ...list);
    expect(cases[0]).toMatchObject({
      status: "failed",
      failures: [{ message: "It is listed as a deviation (two) for a wrong dx, which did not happen: take it off the list." }],
    });
  });

  it("that excuses nothing fails the run", async () => {
    const { cases, failed } = await run([check("a/passes")], { id: "a/passes", reason, output: "y", share: 4, message: "step 0" });
    expect(failed).toBe(1);
    expect(cases[0].failures[0].message).toBe(
      `It is listed as a deviation (${reason}) for a wrong y of up to 4 times the bound and a failure that says "step 0", which did not happen: take it off the list.`,
    );
  });

  it("that names no check, or one that is skipped, is a problem of the run", async () => {
    const checks = [check("a/skips", [], "masks are not supported")];
    expect((await run(checks, { id: "a/skip", reason, output: "y" })).problems).toEqual([
      "The deviation a/skip names no check: correct it or take it off the list.",
    ]);
    expect((await run(checks, { id: "a/skips", reason, output: "y" })).problems).toEqual([
      "The deviation a/skips names a check that is skipped (masks are not supported): take it off the list.",
    ]);
  });

  it("of another backend is not this one's", async () => {
    const failing = check("a/fails", [wrong("y", 3)]);
    const deviation: Deviation = { backend: "other", id: "a/fails", reason, output: "y" };
    expect(await run([failing], deviation)).toMatchObject({ failed: 1, xfailed: 0, problems: [] });
    expect(await run([failing], { ...deviation, backend: "reference" })).toMatchObject({ failed: 0, xfailed: 1 });
    expect(foreignDeviations([deviation], ["reference", "second"])).toEqual([
      "The deviation a/fails names the backend other, expected one of reference, second.",
    ]);
    expect(
      foreignDeviations(
        [
          { ...deviation, backend: "second" },
          { id: "b", reason, output: "y" },
        ],
        ["reference", "second"],
      ),
    ).toEqual([]);
  });
});

it.each([
  ["an entry that does not say what it excuses", { id: "a", reason: "b" }],
  ["an entry without a reason", { id: "a", output: "y" }],
  ["an empty reason", { id: "a", reason: " ", output: "y" }],
  ["an output that does not exist", { id: "a", reason: "b", output: "z" }],
  ["an empty message", { id: "a", reason: "b", message: "" }],
  ["a share without an output", { id: "a", reason: "b", message: "c", share: 2 }],
  ["a share within the bound", { id: "a", reason: "b", output: "y", share: 1 }],
  ["a misspelt field", { id: "a", reason: "b", output: "y", backends: "c" }],
  ["a backend that is no name", { id: "a", reason: "b", output: "y", backend: 1 }],
  ["null", null],
])("a list with %s is none", (_, entry) => {
  expect(isDeviations([entry])).toBe(false);
});

it("a list is one with entries of every kind", () => {
  const entries = [
    { id: "a", reason: "b", output: "y" },
    { id: "a", reason: "b", output: "dgamma", share: 2.5, backend: "c" },
    { id: "a", reason: "b", message: "c" },
  ];
  expect([isDeviations(entries), isDeviations([]), isDeviations(entries[0])]).toEqual([true, true, false]);
});
