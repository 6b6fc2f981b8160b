import { SPEC_VERSION } from "@batchnorm/spec";
import type { AnyBackend, Check } from "./checks/check.ts";
import { caseCheck } from "./checks/golden.ts";
import { CONTRACT_CHECKS } from "./contract/checks.ts";
import { propertyChecks } from "./properties/checks.ts";
import type { PropertyOptions } from "./properties/property.ts";
import type { BackendResult, CaseResult, MutantResult, Report } from "./report.ts";
import { type Deviation, runChecks } from "./run.ts";
import { trialChecks } from "./trials/checks.ts";
import type { Vectors } from "./vectors/load.ts";

/** The random cases that are drawn unless one asks for others: always the same ones, so that CI does not flicker. */
export const DEFAULT_PROPERTIES: PropertyOptions = { seed: 20150211, runs: 60 };

/**
 * Every check of the suite: the rules of the contract, the golden vectors, the properties.
 *
 * @throws RangeError when the properties are to draw nothing.
 */
export function suiteChecks(vectors: Vectors, properties: PropertyOptions = DEFAULT_PROPERTIES): Check[] {
  if (!(properties.runs >= 1)) throw new RangeError(`A property needs a random case at least: received ${properties.runs} runs.`);
  return [
    ...CONTRACT_CHECKS,
    ...vectors.cases.map((each) => caseCheck(each)),
    ...propertyChecks(properties),
    ...trialChecks(properties.seed),
  ];
}

export interface ConformanceOptions {
  readonly vectors: Vectors;
  readonly deviations?: readonly Deviation[];
  /** A clause such as `6.1`, or a whole section such as `6`. */
  readonly only?: string | null;
  readonly properties?: PropertyOptions;
  /** Milliseconds that one check may take. */
  readonly timeout?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** How far a run has come. */
export interface Progress {
  readonly backend: string;
  readonly done: number;
  readonly total: number;
  readonly last: CaseResult | MutantResult;
}

/**
 * Holds backends against the whole suite, one after another, and returns the report. What a backend does wrong is in the
 * report; the promise is only rejected for a fault of the suite's own input.
 */
export async function runConformance(backends: readonly AnyBackend[], options: ConformanceOptions): Promise<Report> {
  const { vectors, deviations = [], only = null, properties, timeout, onProgress } = options;
  const checks = suiteChecks(vectors, properties);
  const results: BackendResult[] = [];
  for (const backend of backends) {
    const progress = (done: number, total: number, last: CaseResult): void => onProgress?.({ backend: backend.name, done, total, last });
    results.push(await runChecks(backend, checks, { deviations, only, onProgress: progress, ...(timeout !== undefined && { timeout }) }));
  }
  return { specVersion: SPEC_VERSION, vectors: { count: vectors.cases.length, sha256: vectors.sha256 }, results };
}
