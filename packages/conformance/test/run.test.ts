import { asynchronousBackend, override, referenceBackend } from "@batchnorm/mutants/reference";
import type { FloatTensor, HostTensor } from "@batchnorm/spec";
import { describe, expect, it } from "vitest";
import { type AnyBackend, type Check, type Outcome, outcomeOf } from "../src/checks/check.ts";
import { caseCheck } from "../src/checks/golden.ts";
import { isGreen } from "../src/report.ts";
import { clauseMatches, type Deviation, runCheck, runChecks } from "../src/run.ts";
import { runConformance, suiteChecks } from "../src/suite.ts";
import type { Vectors } from "../src/vectors/load.ts";
import { withTruth } from "./exact.ts";

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

  it("keeps five failures of many, and counts them all", async () => {
    const many = Array.from({ length: 12 }, (_, k) => `Fault ${k}.`);
    const { failures, failureCount } = await runCheck(backend, check("a/many", { faults: many }));
    expect([failures.length, failureCount]).toEqual([5, 12]);
  });
});

describe("deviations", () => {
  const fails = check("a/fails", { faults: ["It is wrong."] });
  const run = (checks: Check[], ...deviations: Deviation[]) => runChecks(backend, checks, { deviations });
  const reason = "a bug of runtime 1.2";

  it("a listed check that fails is a known deviation, with its reason and its failure", async () => {
    const { cases, failed, xfailed, problems } = await run([fails], { id: "a/fails", reason });
    expect([failed, xfailed, problems]).toEqual([0, 1, []]);
    expect(cases[0]).toMatchObject({ status: "xfailed", reason, failureCount: 1, failures: [{ message: "It is wrong." }] });
  });

  it("a listed check that passes fails the run", async () => {
    const { cases, failed } = await run([check("a/passes")], { id: "a/passes", reason });
    expect(failed).toBe(1);
    expect(cases[0].failures[0].message).toBe(`is listed as a deviation (${reason}) but passes: take it off the list.`);
  });

  it("an id that names no check is a problem of the run", async () => {
    const { problems } = await run([fails], { id: "a/fail", reason });
    expect(problems).toEqual(["The deviation a/fail names no check: correct it or take it off the list."]);
  });

  it("a listed check that is skipped is a problem of the run", async () => {
    const { problems } = await run([check("a/skips", { skip: "masks are not supported" })], { id: "a/skips", reason });
    expect(problems).toEqual(["The deviation a/skips names a check that is skipped (masks are not supported): take it off the list."]);
  });

  it("those of another backend are not this one's", async () => {
    const { failed, xfailed, problems } = await run(
      [fails],
      { backend: "other", id: "a/fails", reason },
      { backend: "other", id: "b", reason },
    );
    expect([failed, xfailed, problems]).toEqual([1, 0, []]);
    expect(await run([fails], { backend: "reference", id: "a/fails", reason })).toMatchObject({ failed: 0, xfailed: 1 });
  });
});

describe("a backend that is worse than wrong", () => {
  const broken = (changes: Partial<AnyBackend>): AnyBackend => ({ ...backend, ...changes });
  const failureOf = async (each: AnyBackend, what: Check = STEP): Promise<string> => {
    const { status, failures } = await runCheck(each, what, undefined, 50);
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

  it("never answers: it is given up on, and so are the checks after the third", async () => {
    const hanging = asynchronousBackend("hanging", (layer) => override(layer, { call: () => new Promise(() => {}) }));
    const checks = [1, 2, 3, 4, 5].map((number) => ({ ...STEP, id: `a/${number}` }));
    const started = performance.now();
    const { cases, failed } = await runChecks(hanging, checks, { timeout: 50 });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(failed).toBe(5);
    expect(cases.map(({ timedOut, failures }) => [timedOut, failures[0].message])).toEqual([
      ...new Array(3).fill([true, "clause 12.2: the backend did not answer within 0.05 s."]),
      ...new Array(2).fill([undefined, "not tried: 3 checks before it had no answer."]),
    ]);
  });

  it("is written for another version", async () => {
    const { problems } = await runChecks(broken({ specVersion: 2 as never }), []);
    expect(problems).toEqual(["The backend is written for version 2 of the contract, this suite checks version 1."]);
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
    expect(report).toMatchObject({ specVersion: 1, vectors: { count: 0, sha256: "" } });
    expect(report.results.map(({ backend: name, failed }) => [name, failed > 0])).toEqual([
      ["reference", false],
      ["wrong", true],
    ]);
    expect(isGreen(report)).toBe(false);
    expect(isGreen({ ...report, results: report.results.slice(0, 1) })).toBe(true);
    expect("mutants" in report).toBe(false);
  });

  it("is not green with a problem, or with a mutant that lives", () => {
    const good = { backend: "x", passed: 1, failed: 0, skipped: 0, xfailed: 0, cases: [], problems: [] };
    const report = { specVersion: 1 as const, vectors: { count: 0, sha256: "" }, results: [good] };
    const mutant = { mutant: "m", fault: "is wrong", clauses: ["5.1"], caughtBy: { clause: "5.1", id: "a", message: "" } };
    expect(isGreen({ ...report, mutants: [mutant] })).toBe(true);
    expect(isGreen({ ...report, mutants: [mutant, { ...mutant, caughtBy: null }] })).toBe(false);
    expect(isGreen({ ...report, results: [{ ...good, problems: ["The deviation x names no check."] }] })).toBe(false);
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
