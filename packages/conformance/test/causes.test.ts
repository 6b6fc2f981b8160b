import { describe, expect, it } from "vitest";
import { findCauses } from "../src/causes.ts";
import { type Check, failuresOutcome } from "../src/checks/check.ts";
import type { CaseResult, Cause } from "../src/report.ts";

interface Layer {
  readonly traits: readonly string[];
  readonly fails: boolean;
}

const check = (id: string, rest: Partial<Check>): Check => ({
  id,
  kind: "vector",
  clause: "5.1",
  skip: () => null,
  run: async () => failuresOutcome([]),
  ...rest,
});

const result = (id: string, status: CaseResult["status"], rest: Partial<CaseResult> = {}): CaseResult => ({
  id,
  kind: "vector",
  clause: "5.1",
  status,
  ...failuresOutcome([]),
  duration: 0,
  ...rest,
});

function causesOf(layers: readonly Layer[]): Cause[] {
  const checks = layers.map(({ traits }, index) => check(`a/${index}`, { traits }));
  return findCauses(
    layers.map(({ fails }, index) => result(`a/${index}`, fails ? "failed" : "passed")),
    checks,
  );
}

/** So many layers with these traits, of which the first few fail. */
const layers = (count: number, failing: number, ...traits: string[]): Layer[] =>
  Array.from({ length: count }, (_, index) => ({ traits, fails: index < failing }));

describe("the cause of failures", () => {
  it("is the trait that tells them from what passes", () => {
    const [cause, ...others] = causesOf([
      ...layers(10, 10, "rank 4", "mask"),
      ...layers(10, 0, "rank 4"),
      ...layers(10, 10, "rank 2", "mask"),
    ]);
    expect(cause).toMatchObject({ traits: ["mask"], failed: 20, of: 20, others: { failed: 0, of: 10 } });
    expect(cause.checks).toHaveLength(20);
    expect(others).toEqual([]);
  });

  it("is a pair of traits where no single one tells it", () => {
    const all = [...layers(8, 8, "training", "momentum 0"), ...layers(20, 0, "training"), ...layers(20, 0, "momentum 0")];
    expect(causesOf(all).map(({ traits }) => traits)).toEqual([["training", "momentum 0"]]);
  });

  it("is said in one trait where a second one adds next to nothing", () => {
    const all = [...layers(40, 40, "frozen", "gradient"), ...layers(1, 0, "frozen"), ...layers(20, 0, "gradient")];
    expect(causesOf(all).map(({ traits }) => traits)).toEqual([["frozen"]]);
  });

  it("is several, one after another, the one that explains most first", () => {
    const all = [...layers(9, 9, "mask"), ...layers(6, 6, "rank 5"), ...layers(30, 0, "rank 2")];
    expect(causesOf(all).map(({ traits, checks }) => [traits, checks.length])).toEqual([
      [["mask"], 9],
      [["rank 5"], 6],
    ]);
  });

  it("is everything where nearly all fails, and no trait", () => {
    expect(causesOf([...layers(30, 29, "rank 2", "mask"), ...layers(30, 30, "rank 3")])).toMatchObject([
      { traits: [], failed: 59, of: 60, others: { failed: 0, of: 0 } },
    ]);
  });

  it("is not made up where nothing explains the failures, or there are few", () => {
    expect(causesOf([...layers(20, 5, "mask"), ...layers(20, 5, "rank 2"), ...layers(20, 5, "frozen")])).toEqual([]);
    expect(causesOf([...layers(3, 3, "mask"), ...layers(20, 0, "rank 2")])).toEqual([]);
  });
});

it("the layers of one check are told apart, and those that were left out do not count", () => {
  const trials = [["rank 2"], ["rank 5"], ["rank 5"], ["rank 5"], ["rank 5"], ["rank 5"], ["rank 3"]];
  const results = [result("size/ranks", "failed", { trials: { failed: [1, 2, 3, 4], skipped: [5] } })];
  expect(findCauses(results, [check("size/ranks", { trials })])).toEqual([
    { traits: ["rank 5"], failed: 4, of: 4, others: { failed: 0, of: 2 }, checks: ["size/ranks"] },
  ]);
});

it("a check that draws its layers belongs to a cause that the failed one has", () => {
  const checks = [...Array.from({ length: 4 }, (_, k) => check(`a/${k}`, { traits: ["mask"] })), check("a/other", { traits: ["rank 2"] })];
  const drawn = (id: string, traits: readonly string[]): CaseResult => result(id, "failed", { kind: "property", traits });
  const results = [
    ...checks.slice(0, 4).map(({ id }) => result(id, "failed")),
    result("a/other", "passed"),
    drawn("property/one", ["mask", "rank 3"]),
    drawn("property/two", ["rank 3"]),
  ];
  expect(findCauses(results, checks)).toMatchObject([{ traits: ["mask"], of: 4, checks: ["a/0", "a/1", "a/2", "a/3", "property/one"] }]);
});

it("what was not run, is skipped or known says nothing", () => {
  const checks = Array.from({ length: 6 }, (_, k) => check(`a/${k}`, { traits: ["mask"] }));
  const results = checks.map(({ id }, k) => result(id, (["not-run", "skipped", "xfailed"] as const)[k % 3]));
  expect(findCauses(results, checks)).toEqual([]);
});
