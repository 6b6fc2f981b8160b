import { describe, expect, it } from "vitest";
import type { AnyBackend, Check } from "./checks/check.ts";
import { readVectors } from "./node.ts";
import type { PropertyOptions } from "./properties/property.ts";
import { type Deviation, deviationsOf, findProblems, runCheck } from "./run.ts";
import { suiteChecks } from "./suite.ts";
import type { Vectors } from "./vectors/load.ts";

export interface VitestOptions {
  /** Default: the vectors that this package ships, read from disk. In a browser, pass `await fetchVectors(url)`. */
  readonly vectors?: Vectors;
  readonly deviations?: readonly Deviation[];
  readonly properties?: PropertyOptions;
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
  const checks = suiteChecks(options.vectors ?? (await readVectors()), options.properties);
  describe(`${backend.name} conforms`, () => {
    for (const [clause, group] of byClause(checks)) {
      describe(`clause ${clause}`, () => {
        for (const check of group) register(backend, check, deviations);
      });
    }
    it("has a manifest of this version, and deviations that name checks", () => {
      expect(findProblems(backend, checks, deviations)).toEqual([]);
    });
  });
}

function register(backend: AnyBackend, check: Check, deviations: readonly Deviation[]): void {
  const skipped = check.skip(backend.supports);
  const deviation = deviations.find(({ id }) => id === check.id);
  if (skipped !== null) {
    it.skip(`${check.id} (${skipped})`, () => {});
    return;
  }
  it(deviation === undefined ? check.id : `${check.id} (deviates: ${deviation.reason})`, async () => {
    const result = await runCheck(backend, check, deviation);
    if (result.status === "failed") expect.fail([`${check.id} failed ${result.failureCount} times.`, ...result.failures.map(({ message }) => message)].join("\n"));
  });
}

function byClause(checks: readonly Check[]): [string, Check[]][] {
  const groups = new Map<string, Check[]>();
  for (const check of checks) groups.set(check.clause, [...(groups.get(check.clause) ?? []), check]);
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}
