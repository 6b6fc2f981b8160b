import { asynchronousBackend, override, referenceBackend } from "@batchnorm/reference";
import type { FloatTensor, HostTensor } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import { type AnyBackend, type Check, type Outcome, outcomeOf } from "../src/checks/check.ts";
import { caseCheck } from "../src/checks/golden.ts";
import { isGreen, isSound } from "../src/report.ts";
import { runCheck, runChecks } from "../src/run.ts";
import { clauseMatches, type Selection } from "../src/selection.ts";
import { runConformance, suiteChecks } from "../src/suite.ts";
import type { Vectors } from "../src/vectors/load.ts";
import { withTruth } from "./exact.ts";
import { GREEN } from "./report.ts";

const backend: AnyBackend = referenceBackend("reference");
const NO_VECTORS: Vectors = { cases: [], sha256: "", manifest: {} as never };

/** A check that finds these faults. */
function check(
  id: string,
  { faults = [] as string[], clause = "5.1", skip = null as string | null, run = undefined as Check["run"] | undefined } = {},
): Check {
  return { id, kind: "contract", clause, skip: () => skip, run: run ?? (async () => outcomeOf(faults)) };
}

/** One training step with a gradient, whose truth is known. */
const STEP = caseCheck(
  withTruth({
    gamma: [1.5, -1],
    beta: [0.5, 0],
    movingMean: [0, 1],
    movingVariance: [1, 2],
    batches: [{ x: [1, 2, 3, 5, 8, 13], dy: [1, 0, -1, 2, 0.5, 3] }],
  }),
);

describe("runChecks", () => {
  const checks = [
    check("a/passes"),
    check("a/fails", { faults: ["It is wrong."], clause: "6.1" }),
    check("a/skips", { skip: "masks are not supported" }),
  ];

  it("counts what passed, failed and was skipped, and says why", async () => {
    const result = await runChecks(backend, checks);
    expect(result).toMatchObject({ backend: "reference", passed: 1, failed: 1, skipped: 1, xfailed: 0, problems: [] });
    expect(result.cases.map(({ id, status, reason, failures }) => [id, status, reason, failures.map(({ message }) => message)])).toEqual([
      ["a/passes", "passed", undefined, []],
      ["a/fails", "failed", undefined, ["It is wrong."]],
      ["a/skips", "skipped", "masks are not supported", []],
    ]);
  });

  it("runs only the clause or section that was asked for", async () => {
    const ids = async (only: string) => (await runChecks(backend, checks, { only })).cases.map(({ id }) => id);
    expect(await ids("6.1")).toEqual(["a/fails"]);
    expect(await ids("5")).toEqual(["a/passes", "a/skips"]);
    expect(clauseMatches("10.1", "1")).toBe(false);
    expect(clauseMatches("1.1", "1.1")).toBe(true);
    expect(clauseMatches("1.10", "1.1")).toBe(false);
  });

  it("tells how far it has come", async () => {
    const seen: string[] = [];
    await runChecks(backend, checks, { onProgress: (done, total, { id }) => seen.push(`${done}/${total} ${id}`) });
    expect(seen).toEqual(["1/3 a/passes", "2/3 a/fails", "3/3 a/skips"]);
  });

  it("runs only the checks that were asked for, and without the slow ones", async () => {
    const slow = { ...check("a/slow"), slow: true };
    const ids = async (options: Selection) => (await runChecks(backend, [...checks, slow], options)).cases.map(({ id }) => id);
    expect(await ids({ checks: ["a/slow", "a/fails"] })).toEqual(["a/fails", "a/slow"]);
    expect(await ids({ quick: true })).toEqual(["a/passes", "a/fails", "a/skips"]);
    expect(await ids({ checks: ["a/slow"], quick: true })).toEqual([]);
  });

  it("keeps twenty failures of many, and counts them all", async () => {
    const many = Array.from({ length: 32 }, (_, k) => `Fault ${k}.`);
    const { failures, failureCount } = await runCheck(backend, check("a/many", { faults: many }));
    expect([failures.length, failureCount]).toEqual([20, 32]);
  });

  it("measures how long a check takes", async () => {
    const run = () => new Promise<Outcome>((resolve) => setTimeout(resolve, 20, outcomeOf([])));
    const { cases, duration } = await runChecks(backend, [check("a/waits", { run })]);
    expect(cases[0].duration).toBeGreaterThanOrEqual(19);
    expect(duration).toBeGreaterThanOrEqual(cases[0].duration);
  });

  it("knows a failure by the traits of the layers that it is about", async () => {
    const about = (id: string, traits: readonly string[], faults: string[] = []): Check => ({ ...check(id, { faults }), traits });
    const many = [1, 2, 3, 4].flatMap((k) => [about(`masked/${k}`, ["rank 2", "mask"], ["It is wrong."]), about(`plain/${k}`, ["rank 2"])]);
    expect((await runChecks(backend, many)).causes).toEqual([
      { traits: ["mask"], failed: 4, of: 4, others: { failed: 0, of: 4 }, checks: ["masked/1", "masked/2", "masked/3", "masked/4"] },
    ]);
  });
});

describe("a backend that is worse than wrong", () => {
  const broken = (changes: Partial<AnyBackend>): AnyBackend => ({ ...backend, ...changes });
  const failureOf = async (each: AnyBackend, what: Check = STEP): Promise<string> => {
    const { status, failures } = await runCheck(each, what, { timeout: 50 });
    expect(status).toBe("failed");
    return failures[0].message;
  };

  it("throws in create", async () => {
    const throwing = broken({
      create: () => {
        throw new TypeError("no device");
      },
    });
    expect(await failureOf(throwing)).toBe("clause 12.2: the backend threw TypeError: no device");
  });

  it("throws what is no error", async () => {
    const throwing = broken({
      create: () => {
        throw { reason: 5 };
      },
    });
    expect(await failureOf(throwing)).toBe("clause 12.2: the backend threw an object with reason");
  });

  it("throws, and the failure has the frames of what was thrown", async () => {
    const throwing = broken({
      create: function makeLayer() {
        throw new Error("outer", { cause: new RangeError("no memory") });
      },
    });
    const { failures } = await runCheck(throwing, STEP);
    expect(failures[0].stack).toMatch(/^RangeError: no memory\nat .*run\.test\.ts:\d+:\d+/);
    expect(failures[0].stack).not.toContain("conformance/src/");
  });

  it("never answers: every check is given its time, and less of it after each that took it all", async () => {
    const hanging = asynchronousBackend("hanging", (layer) => override(layer, { call: () => new Promise(() => {}) }));
    const checks = [1, 2, 3].map((number) => ({ ...STEP, traits: [], id: `a/${number}`, clause: `${number}.1` }));
    const answering = check("a/4", { clause: "4.1" });
    const { cases } = await runChecks(hanging, [...checks, answering], { timeout: 80 });
    expect(cases.map(({ lost, failures }) => [lost, failures[0]?.message])).toEqual([
      ["timed out", "clause 1.1: the backend did not answer within 0.08 s."],
      ["timed out", "clause 2.1: the backend did not answer within 0.04 s."],
      ["timed out", "clause 3.1: the backend did not answer within 0.02 s."],
      [undefined, undefined],
    ]);
  });

  it("never answers to checks of one kind: the others like them are not run, and all others are", async () => {
    const hanging = asynchronousBackend("hanging", (layer) => override(layer, { call: () => new Promise(() => {}) }));
    const checks = [1, 2, 3, 4].map((number) => ({ ...STEP, traits: ["mask"], id: `a/${number}` }));
    const other = { ...check("a/5", { clause: STEP.clause }), traits: ["rank 3"] };
    const result = await runChecks(hanging, [...checks, other], { timeout: 80 });
    expect(result.cases.map(({ status }) => status)).toEqual(["failed", "failed", "failed", "not-run", "passed"]);
    expect(result.cases[3].reason).toBe("checks like it of clause 12.2 had no answer");
    expect([result.notRun, isSound(result)]).toEqual([1, false]);
  });

  it("has an empty manifest: that is a failure, and nothing else is run", async () => {
    const result = await runChecks(broken({ supports: {} as never }), [
      STEP,
      ...suiteChecks(NO_VECTORS).filter(({ id }) => id === "contract/manifest"),
    ]);
    expect(result.cases.map(({ status, reason }) => [status, reason])).toEqual([
      ["not-run", "the manifest is not in order"],
      ["failed", undefined],
    ]);
    expect(result.cases[1].failures.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("varianceEstimators is undefined, expected a list of population, sample, with population among them."),
    );
    expect(result.problems).toEqual([expect.stringMatching(/^The manifest is not in order: maxRank is undefined/)]);
    expect(result.supports).toBeNull();
  });

  it("has a manifest that is null, or no name", async () => {
    expect((await runChecks(broken({ supports: null as never }), [])).problems).toEqual([
      "The manifest is not in order: supports is null, expected an object.",
    ]);
    expect(await runChecks(broken({ name: undefined as never }), [])).toMatchObject({
      backend: "a backend without a name",
      problems: ["The manifest is not in order: The name is undefined, expected a text."],
    });
  });

  it("is written for another version", async () => {
    const { problems } = await runChecks(broken({ specVersion: 2 as never }), []);
    expect(problems).toEqual(["The backend is written for version 2 of the contract, this suite checks version 1."]);
    expect((await runChecks(broken({ specVersion: 1n as never }), [])).problems).toEqual([
      "The backend is written for version 1n of the contract, this suite checks version 1.",
    ]);
  });

  /** The reference, with what comes out of download changed. */
  const downloading = (change: (tensor: HostTensor) => HostTensor): AnyBackend =>
    broken({ download: (tensor: HostTensor) => change({ data: tensor.data.slice(), shape: tensor.shape }) });

  it("gives another shape", async () => {
    expect(await failureOf(downloading(({ data, shape }) => ({ data, shape: shape.toReversed() })))).toBe(
      "clause 12.2, step 0: y has the shape [2,3], expected [3,2].",
    );
  });

  it("gives more elements than its shape has", async () => {
    const longer = downloading(({ data, shape }) => ({ data: Float32Array.from([...data, 0]), shape }));
    expect(await failureOf(longer)).toBe("clause 12.2, step 0: y has 7 elements, expected 6.");
  });

  it("gives float64", async () => {
    expect(await failureOf(downloading(({ data, shape }) => ({ data: Float64Array.from(data), shape })))).toBe(
      "clause 12.2, step 0: y is not float32: it came as Float64Array of 6 elements.",
    );
  });

  it("gives a gradient of another shape, or none", async () => {
    const wrapped = (gradient: (shape: readonly number[]) => FloatTensor | null): AnyBackend =>
      broken({
        create: (config, state) => {
          const layer = referenceBackend("inner").create(config, state);
          return override(layer, {
            backward: (dy, options) => ({ ...layer.backward(dy, options), dgamma: gradient([layer.channels]) }),
          });
        },
      });
    expect(await failureOf(wrapped(([channels]) => ({ data: new Float32Array(channels), shape: [1, channels] })))).toBe(
      "clause 12.2, step 0: dgamma has the shape [1,2], expected [2].",
    );
    expect(await failureOf(wrapped(() => null))).toBe("clause 12.2, step 0: dgamma is null, expected a gradient.");
  });

  it("changes its parameters in a call", async () => {
    const moving = broken({
      create: (config, state) => {
        const layer = referenceBackend("inner").create(config, state);
        let factor = 1;
        return override(layer, {
          state: () => {
            const { parameters, statistics } = layer.state();
            factor *= 2;
            return { parameters: { ...parameters, gamma: parameters.gamma!.map((value) => value * factor) }, statistics };
          },
        });
      },
    });
    expect(await failureOf(moving)).toBe("clause 12.2, step 0: gamma was changed by the step, expected the same bits as before.");
  });
});

describe("a failed number", () => {
  it("explains itself: clause, step, position, expected, got, error and share", async () => {
    const wrong = referenceBackend("wrong", {
      output: (x, mean, inverse, gamma, beta) => gamma * (x - mean) * inverse + beta + (x === 5 ? 0.5 : 0),
    });
    const { failures, worst, failureCount } = await runCheck(wrong, STEP);
    expect(failureCount).toBe(1);
    expect(failures[0]).toMatchObject({ output: "y", step: 0, position: [1, 1] });
    expect(failures[0].got! - failures[0].expected!).toBeCloseTo(0.5, 6);
    expect(failures[0].message).toMatch(
      /^clause 12\.2, step 0, y\[1,1\]: expected 0\.35\d+, got 0\.85\d+; the error is 1\.68e\+7 ULP, \d\.\d\de\+\d times the bound 0\.0000\d+\.$/,
    );
    expect(worst?.share).toBe(failures[0].share);
  });

  it("says no more than that where there is no error to measure", async () => {
    const wrong = referenceBackend("wrong", {
      output: (x, mean, inverse, gamma, beta) => (x === 5 ? Number.NaN : gamma * (x - mean) * inverse + beta),
    });
    const { failures } = await runCheck(wrong, STEP);
    expect(failures[0].message).toMatch(/^clause 12\.2, step 0, y\[1,1\]: expected 0\.35\d+, got NaN\.$/);
  });
});

describe("runConformance", () => {
  it("reports every backend, and is green only if all are", async () => {
    const wrong = referenceBackend("wrong", { inverseDeviation: (variance) => 1 / Math.sqrt(variance) });
    const options = { vectors: NO_VECTORS, properties: { seed: 1, runs: 5 }, only: "5" };
    const report = await runConformance([backend, wrong], options);
    expect(report).toMatchObject({
      specVersion: 1,
      vectors: { count: 0, sha256: "" },
      run: { filter: { only: "5", checks: [], quick: false }, backends: [], seed: 1, runs: 5, timeout: 60_000 },
      problems: [],
    });
    expect(report.run.total).toBeGreaterThan(report.run.selected);
    expect(report.results[0].cases).toHaveLength(report.run.selected);
    expect(report.results.map(({ backend: name, failed }) => [name, failed > 0])).toEqual([
      ["reference", false],
      ["wrong", true],
    ]);
    expect(isGreen(report)).toBe(false);
    expect(isGreen({ ...report, results: report.results.slice(0, 1) })).toBe(true);
  });

  it("is not green with a problem, or with a mutant that lives", () => {
    const mutant = { mutant: "m", fault: "is wrong", clauses: ["5.1"], caughtBy: { clause: "5.1", id: "a", message: "" } };
    expect(isGreen({ ...GREEN, mutants: [mutant] })).toBe(true);
    expect(isGreen({ ...GREEN, mutants: [mutant, { ...mutant, caughtBy: null }] })).toBe(false);
    expect(isGreen({ ...GREEN, problems: ["The deviation x names the backend y."] })).toBe(false);
    const [good] = GREEN.results;
    expect(isGreen({ ...GREEN, results: [{ ...good, problems: ["The deviation x names no check."] }] })).toBe(false);
    expect(isGreen({ ...GREEN, results: [{ ...good, notRun: 1 }] })).toBe(false);
  });

  it("says so when a deviation names no backend of the run", async () => {
    const deviations = [{ backend: "referense", id: "a", reason: "known", output: "y" as const }];
    const { problems } = await runConformance([backend], { vectors: NO_VECTORS, only: "18.1", deviations });
    expect(problems).toEqual(["The deviation a names the backend referense, expected one of reference."]);
  });

  it("draws the same random cases for the same seed, and says which case fails", async () => {
    const wrong = referenceBackend("wrong", { output: (x, mean, inverse, gamma, beta) => gamma * (x - mean) * inverse * 1.01 + beta });
    const property = (seed: number): Check =>
      suiteChecks(NO_VECTORS, { seed, runs: 20 }).find(({ id }) => id === "property/oracle-inference")!;
    const message = async (seed: number): Promise<string> => (await runCheck(wrong, property(seed))).failures[0].message;
    expect(await message(1)).toBe(await message(1));
    expect(await message(1)).not.toBe(await message(2));
    expect(await message(1)).toMatch(/Smallest case after \d+ shrinks, seed 1: \{"shape":\[/);
  });

  it("refuses to draw nothing", () => {
    expect(() => suiteChecks(NO_VECTORS, { seed: 1, runs: 0 })).toThrow("A property needs a random case at least: received 0 runs.");
  });

  it("has ids that are unique", () => {
    const ids = suiteChecks(NO_VECTORS).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it("an outcome has no failures where it has no faults", () => {
  expect(outcomeOf([])).toEqual({ failures: [], failureCount: 0, worst: null, reference: null } satisfies Outcome);
});
