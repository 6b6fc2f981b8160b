import { describe, expect, it } from "vitest";
import type { AnyBackend, Check } from "./checks/check.ts";
import type { PropertyOptions } from "./properties/property.ts";
import { DEFAULT_TIMEOUT, type Deviation, deviationsOf, findProblems, runCheck } from "./run.ts";
import { suiteChecks } from "./suite.ts";
import type { Vectors } from "./vectors/load.ts";

export interface VitestOptions {
  /** Default: the vectors that this package ships, read from disk. In a browser, pass `await fetchVectors(url)`. */
  readonly vectors?: Vectors;
  readonly deviations?: readonly Deviation[];
  readonly properties?: PropertyOptions;
  /** Milliseconds that one check may take. Default: `DEFAULT_TIMEOUT`. */
  readonly timeout?: number;
}

/**
 * Registers the whole suite as vitest tests, one a check, grouped by clause:
 *
 *     import { conformance } from "@batchnorm/conformance/vitest";
 *     import { createBackend } from "my-backend";
 *
 *     await conformance(createBackend);
 */
export async function conformance(make: () => AnyBackend | Promise<AnyBackend>, options: VitestOptions = {}): Promise<void> {
  const backend = await make();
  const deviations = deviationsOf(backend, options.deviations ?? []);
  // Imported only where it is used: a browser has no file system.
  const vectors = options.vectors ?? (await (await import("./vectors/read.ts")).readVectors());
  const checks = suiteChecks(vectors, options.properties);
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  describe(`${backend.name} conforms`, () => {
    for (const [clause, group] of byClause(checks)) {
      describe(`clause ${clause}`, () => {
        for (const check of group) register(backend, check, deviations, timeout);
      });
    }
    it("has a manifest of this version, and deviations that name checks", () => {
      const problems = findProblems(backend, checks, deviations);
      if (problems.length > 0) expect.fail(problems.join("\n"));
    });
  });
}

function register(backend: AnyBackend, check: Check, deviations: readonly Deviation[], timeout: number): void {
  const skipped = check.skip(backend.supports);
  const deviation = deviations.find(({ id }) => id === check.id);
  if (skipped !== null) {
    it.skip(`${check.id} (${skipped})`, () => {});
    return;
  }
  const name = deviation === undefined ? check.id : `${check.id} (deviates: ${deviation.reason})`;
  const test = async (): Promise<void> => {
    const { status, failures, failureCount } = await runCheck(backend, check, deviation, timeout);
    if (status !== "failed") return;
    expect.fail([`${check.id} failed ${failureCount} times.`, ...failures.map(({ message }) => message)].join("\n"));
  };
  // Later than the suite's own time, which says who did not answer.
  it(name, test, timeout + 1000);
}

function byClause(checks: readonly Check[]): [string, Check[]][] {
  const groups = new Map<string, Check[]>();
  for (const check of checks) groups.set(check.clause, [...(groups.get(check.clause) ?? []), check]);
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}
