import type { CaseResult, Report } from "../src/report.ts";

const passed: CaseResult = {
  id: "inference/plain",
  kind: "vector",
  clause: "5.1",
  status: "passed",
  worst: { output: "y", step: 0, index: 3, share: 0.125, ulp: 0.5 },
  reference: { framework: "keras/tensorflow", output: "y", step: 0, index: 1, share: 0.75, ulp: 3 },
  timesReference: 1.53,
  failures: [],
  failureCount: 0,
  duration: 1.5,
};

const failed: CaseResult = {
  id: "training/wrong",
  kind: "vector",
  clause: "6.1",
  status: "failed",
  worst: { output: "movingVariance", step: 2, index: 1, share: Number.POSITIVE_INFINITY, ulp: Number.POSITIVE_INFINITY },
  reference: null,
  failures: [
    {
      message: "clause 6.1, step 2, movingVariance[1]: expected 2, got 3; the error is 4.19e+6 ULP, 17 times the bound 0.0588.",
      output: "movingVariance",
      step: 2,
      position: [1],
      expected: 2,
      got: 3,
      bound: 0.0588,
      ulp: 4.19e6,
      share: 17,
    },
    {
      message: 'clause 6.1, step 2, y[0,1]: expected 1 | "one" & <more>, got NaN.\nOn a line of its own.\u0007',
      output: "y",
      step: 2,
      position: [0, 1],
      expected: Number.NEGATIVE_INFINITY,
      got: Number.NaN,
      bound: 1,
      ulp: Number.POSITIVE_INFINITY,
      share: Number.POSITIVE_INFINITY,
    },
  ],
  failureCount: 9,
  duration: 1500,
};

const skipped: CaseResult = {
  id: "mask/skipped",
  kind: "vector",
  clause: "9.1",
  status: "skipped",
  reason: "masks are not supported",
  worst: null,
  reference: null,
  failures: [],
  failureCount: 0,
  duration: 1.5,
};

const deviates: CaseResult = {
  id: "contract/deviates",
  kind: "contract",
  clause: "17.4",
  status: "xfailed",
  reason: "runtime 1.2 copies | a bug",
  worst: null,
  reference: null,
  failures: [{ message: "It copies." }],
  failureCount: 1,
  duration: 0.25,
};

const notRun: CaseResult = {
  ...skipped,
  id: "inference/lost",
  clause: "5.1",
  status: "not-run",
  reason: "checks like it of clause 5.1 had no answer",
  duration: 0,
};

/** A report with one of everything: made by hand, so that a reporter's test needs no run. */
export const REPORT: Report = {
  specVersion: 1,
  suiteVersion: "0.1.0",
  vectors: { count: 643, sha256: "0123456789abcdef".repeat(4) },
  run: {
    filter: { only: null, checks: [], quick: false },
    backends: [],
    selected: 5,
    total: 5,
    seed: 20150211,
    runs: 60,
    timeout: 60_000,
    duration: 61_500,
  },
  results: [
    {
      backend: "wrong/one",
      supports: null,
      passed: 1,
      failed: 1,
      skipped: 1,
      xfailed: 1,
      notRun: 1,
      duration: 61_000,
      causes: [{ traits: ["mask", "rank 3"], failed: 4, of: 4, others: { failed: 0, of: 12 }, checks: ["training/wrong"] }],
      cases: [passed, failed, skipped, deviates, notRun],
      problems: ["The deviation a|b names no check: correct it or take it off the list."],
    },
    {
      backend: "right/two",
      supports: null,
      passed: 1,
      failed: 0,
      skipped: 0,
      xfailed: 0,
      notRun: 0,
      duration: 500,
      causes: [],
      cases: [passed],
      problems: [],
    },
  ],
  problems: ["The deviation x names the backend <y>, expected one of wrong/one, right/two."],
  mutants: [
    {
      mutant: "epsilon-ignored",
      fault: "leaves epsilon out",
      clauses: ["5.2"],
      caughtBy: { clause: "5.2", id: "inference/epsilon", message: "clause 5.2" },
    },
    { mutant: "lives", fault: "is wrong | unseen", clauses: ["4.2", "16.4"], caughtBy: null },
  ],
};

/** The same, where everything is right. */
export const GREEN: Report = { ...REPORT, results: REPORT.results.slice(1), problems: [], mutants: REPORT.mutants!.slice(0, 1) };
