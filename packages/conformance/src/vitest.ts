import { describe, expect, it } from "vitest";
import type { AnyBackend, Check } from "./checks/check.ts";
import { manifestFaults } from "./checks/manifest.ts";
import { type Deviation, foreignDeviations, judge } from "./deviations.ts";
import type { PropertyOptions } from "./properties/property.ts";
import { BAD_MANIFEST, findProblems, MANIFEST_CHECK, nameOf, notRun, runCheck } from "./run.ts";
import { suiteChecks } from "./suite.ts";
import type { Vectors } from "./vectors/load.ts";
import { DEFAULT_TIMEOUT } from "./waiting.ts";

export interface VitestOptions {
  /** Default: the vectors that this package ships, read from disk. In a browser, pass `await fetchVectors(url)`. */
  readonly vectors?: Vectors;
  /** Those of this backend; one that names another is an error. */
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
  const { deviations = [], properties, timeout = DEFAULT_TIMEOUT } = options;
  // Imported only where it is used: a browser has no file system.
  const vectors = options.vectors ?? (await (await import("./vectors/read.ts")).readVectors());
  const checks = suiteChecks(vectors, properties);
  const inOrder = manifestFaults(backend).length === 0;
  const name = nameOf(backend);
  describe(`${name} conforms`, () => {
    for (const [clause, group] of byClause(checks)) {
      describe(`clause ${clause}`, () => {
        for (const check of group) register(backend, check, { deviations, timeout, inOrder });
      });
    }
    it("is written for this version, and has deviations that name it and its checks", () => {
      const problems = [...foreignDeviations(deviations, [name]), ...findProblems(backend, checks, deviations)];
      if (problems.length > 0) expect.fail(problems.join("\n"));
    });
  });
}

interface Registration {
  readonly deviations: readonly Deviation[];
  readonly timeout: number;
  /** Whether the manifest can say which checks apply. */
  readonly inOrder: boolean;
}

function register(backend: AnyBackend, check: Check, { deviations, timeout, inOrder }: Registration): void {
  const skipped = inOrder ? check.skip(backend.supports) : null;
  if (skipped !== null) {
    it.skip(`${check.id} (${skipped})`, () => {});
    return;
  }
  const reasons = deviations.filter(({ id }) => id === check.id).map(({ reason }) => reason);
  const name = reasons.length === 0 ? check.id : `${check.id} (deviates: ${reasons.join("; ")})`;
  const test = async (): Promise<void> => {
    const runs = inOrder || check.id === MANIFEST_CHECK;
    const { status, reason, failures, failureCount } = judge(
      runs ? await runCheck(backend, check, { timeout }) : notRun(check, BAD_MANIFEST),
      deviations,
    );
    if (status === "not-run") expect.fail(`${check.id} was not run: ${reason}.`);
    if (status !== "failed") return;
    const lines = failures.flatMap(({ message, stack }) => [message, ...(stack === undefined ? [] : [stack])]);
    expect.fail([`${check.id} failed ${failureCount} times.`, ...lines].join("\n"));
  };
  // Later than the suite's own time, which says who did not answer.
  it(name, test, timeout + 1000);
}

function byClause(checks: readonly Check[]): [string, Check[]][] {
  const groups = new Map<string, Check[]>();
  for (const check of checks) groups.set(check.clause, [...(groups.get(check.clause) ?? []), check]);
  return [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}
