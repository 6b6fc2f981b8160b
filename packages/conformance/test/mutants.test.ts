import { beforeAll, describe, expect, it } from "vitest";
import type { Check } from "../src/checks/check.ts";
import { float32Arithmetic } from "../src/mutants/float32.ts";
import { asynchronousBackend, referenceBackend, SUPPORTS } from "../src/mutants/reference.ts";
import { MUTANTS, runMutant } from "../src/mutants/run.ts";
import { propertyChecks } from "../src/properties/checks.ts";
import { runCheck, runChecks } from "../src/run.ts";
import { DEFAULT_PROPERTIES, suiteChecks } from "../src/suite.ts";
import { readVectors } from "../src/vectors/read.ts";

let checks: readonly Check[];

beforeAll(async () => {
  checks = suiteChecks(await readVectors());
});

describe("the control", () => {
  const inFloat32 = referenceBackend("control/float32", float32Arithmetic(), { ...SUPPORTS, accumulation: "float32" });

  it.each([referenceBackend("control/sync"), asynchronousBackend("control/async"), inFloat32])(
    "$name passes every check",
    async (backend) => {
      const { cases, passed, problems } = await runChecks(backend, checks);
      expect(cases.filter(({ status }) => status !== "passed").map(({ id, failures }) => `${id}: ${failures[0]?.message}`)).toEqual([]);
      expect(passed).toBe(checks.length);
      expect(problems).toEqual([]);
    },
  );

  it("passes with less to offer, and what it cannot is skipped", async () => {
    const least = referenceBackend(
      "control/least",
      {},
      {
        maxRank: 2,
        dtypes: ["float32"],
        training: false,
        gradients: false,
        masks: false,
        out: false,
        varianceEstimators: ["population"],
        nonFinite: ["propagate"],
        accumulation: "float64",
        subnormals: "preserved",
      },
    );
    const { cases, passed, failed } = await runChecks(least, checks);
    expect(cases.filter(({ status }) => status === "failed").map(({ id, failures }) => `${id}: ${failures[0]?.message}`)).toEqual([]);
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(50);
    expect(new Set(cases.filter(({ status }) => status === "skipped").map(({ reason }) => reason))).toEqual(
      new Set([
        "training is not supported",
        "gradients is not supported",
        "gradients are not supported",
        "masks is not supported",
        "masks are not supported",
        "out is not supported",
        "nonFinite 'reject' is not supported",
        "varianceEstimator 'sample' is not supported",
        ...[3, 4, 5, 6].map((rank) => `rank ${rank} is not supported (maxRank 2)`),
      ]),
    );
  });
});

describe("the mutants", () => {
  it("are many, with names of their own", () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)("$name is caught by a check of its own clauses: it $fault", async (mutant) => {
    const { caughtBy } = await runMutant(mutant, checks);
    expect(caughtBy).not.toBeNull();
    expect(mutant.clauses).toContain(caughtBy?.clause);
    expect(caughtBy?.message).toMatch(/\S/);
  });

  it("are caught by every clause that they name, and every clause that a check cites catches one", async () => {
    const lives: string[] = [];
    const catching = new Set<string>();
    for (const mutant of MUTANTS) {
      for (const clause of mutant.clauses) {
        const { caughtBy } = await runMutant({ ...mutant, clauses: [clause] }, checks);
        if (caughtBy === null) lives.push(`${mutant.name} under ${clause}`);
        else catching.add(clause);
      }
    }
    expect(lives).toEqual([]);
    const cited = [...new Set(checks.map(({ clause }) => clause))];
    expect(cited.filter((clause) => !catching.has(clause))).toEqual([]);
  });

  it("are not caught where there is nothing to catch", async () => {
    const healthy = {
      name: "control",
      fault: "does nothing wrong",
      clauses: ["6", "10"],
      create: () => referenceBackend("mutant/control"),
    };
    expect((await runMutant(healthy, checks)).caughtBy).toBeNull();
  });
});

it("the properties alone, without the golden vectors, catch many of them", async () => {
  // Those on large batches are left out: they take most of the time, and only `count-in-16-bits` and sums in a row need them.
  const properties = propertyChecks({ ...DEFAULT_PROPERTIES, runs: 20 }).filter(({ id }) => !/large|long/.test(id));
  const caught: string[] = [];
  for (const { name, create } of MUTANTS) {
    for (const check of properties) {
      if ((await runCheck(create(), check)).status !== "failed") continue;
      caught.push(name);
      break;
    }
  }
  expect(caught.length).toBeGreaterThanOrEqual(40);
  expect(caught).toContain("sample-variance-in-output");
});
