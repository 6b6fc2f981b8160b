import { type Check, runCheck, runChecks, suiteChecks } from "@batchnorm/conformance";
import { readVectors } from "@batchnorm/conformance/node";
import { asynchronousBackend, leastBackend, referenceBackend } from "@batchnorm/reference";
import { beforeAll, describe, expect, it } from "vitest";
import { MUTANTS } from "../src/all.ts";
import { runMutant } from "../src/run.ts";

let checks: readonly Check[];
let quick: readonly Check[];

beforeAll(async () => {
  checks = suiteChecks(await readVectors());
  quick = checks.filter(({ slow }) => !slow);
});

/** What older runtimes cannot be asked. */
const ASKS_FOR_FLOAT16_ARRAY: ReadonlySet<string> = new Set("Float16Array" in globalThis ? [] : ["contract/float16-array"]);

describe("the control", () => {
  it("passes every check", async () => {
    const { cases, passed, problems } = await runChecks(referenceBackend("control/sync"), checks);
    const wrong = cases.filter(({ status, id }) => status !== "passed" && !(status === "skipped" && ASKS_FOR_FLOAT16_ARRAY.has(id)));
    expect(wrong.map(({ id, failures }) => `${id}: ${failures[0]?.message}`)).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(checks.length - ASKS_FOR_FLOAT16_ARRAY.size);
    expect(problems).toEqual([]);
    // The whole suite, the slow checks included, on arithmetic that is written to be read.
  }, 240_000);

  it("passes with promises, too", async () => {
    const { cases } = await runChecks(asynchronousBackend("control/async"), quick);
    const wrong = cases.filter(({ status, id }) => status !== "passed" && !ASKS_FOR_FLOAT16_ARRAY.has(id));
    expect(wrong.map(({ id, failures }) => `${id}: ${failures[0]?.message}`)).toEqual([]);
  });

  it("passes with less to offer, and what it cannot is skipped", async () => {
    const least = leastBackend("control/least", 2);
    const { cases, passed, failed } = await runChecks(least, checks);
    expect(cases.filter(({ status }) => status === "failed").map(({ id, failures }) => `${id}: ${failures[0]?.message}`)).toEqual([]);
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(50);
    expect(new Set(cases.filter(({ status }) => status === "skipped").map(({ reason }) => reason))).toEqual(
      new Set([
        "training is not supported",
        "gradients are not supported",
        "masks are not supported",
        "out is not supported",
        "nonFinite 'reject' is not supported",
        "varianceEstimator 'sample' is not supported",
        "half precision is not supported",
        "float16 is not supported",
        "bfloat16 is not supported",
        "a Float16Array is not supported, by the backend or by this runtime",
        ...[3, 4, 5, 6].map((rank) => `rank ${rank} is not supported (maxRank 2)`),
      ]),
    );
  });
});

describe("the mutants", () => {
  it("are many, with names of their own", () => {
    expect(MUTANTS.length).toBeGreaterThan(150);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  const catching = new Set<string>();

  it.each(MUTANTS)("$name is caught by a check of each clause that it names: it $fault", async (mutant) => {
    for (const clause of mutant.clauses) {
      const { caughtBy } = await runMutant({ ...mutant, clauses: [clause] }, checks);
      expect([clause, caughtBy?.clause, caughtBy?.message]).toEqual([clause, clause, expect.stringMatching(/\S/)]);
      catching.add(clause);
    }
  });

  it("are caught by every clause that a check cites", () => {
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
    expect((await runMutant(healthy, quick)).caughtBy).toBeNull();
  });
});

it("what is drawn at run time, without the vectors and the rules, catches more than half of them", async () => {
  const drawn = quick.filter(({ kind, id }) => kind === "property" && !id.startsWith("property/"));
  // Each that lives takes all of the checks: one in five says as much.
  const some = MUTANTS.filter((_, index) => index % 5 === 0);
  let caught = 0;
  for (const { create } of some) {
    for (const check of drawn) {
      if ((await runCheck(create(), check)).status !== "failed") continue;
      caught++;
      break;
    }
  }
  expect(caught).toBeGreaterThan(some.length / 2);
});
