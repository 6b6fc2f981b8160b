import { SPEC_VERSION } from "@batchnorm/spec";
import type { AnyBackend, Check } from "./checks/check.ts";
import { caseCheck } from "./checks/golden.ts";
import { CONTRACT_CHECKS } from "./contract/checks.ts";
import { type Deviation, foreignDeviations } from "./deviations.ts";
import { lifeChecks } from "./lives/lives.ts";
import { propertyChecks } from "./properties/checks.ts";
import type { PropertyOptions } from "./properties/property.ts";
import type { BackendResult, CaseResult, MutantResult, Report } from "./report.ts";
import { nameOf, runChecks } from "./run.ts";
import { type Selection, select } from "./selection.ts";
import { trialChecks } from "./trials/checks.ts";
import type { Vectors } from "./vectors/load.ts";
import { VERSION } from "./version.ts";
import { DEFAULT_TIMEOUT } from "./waiting.ts";

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
    ...lifeChecks(properties.seed),
  ];
}

export interface ConformanceOptions extends Selection {
  readonly vectors: Vectors;
  readonly deviations?: readonly Deviation[];
  readonly properties?: PropertyOptions;
  /** Milliseconds that one check may take. Default: `DEFAULT_TIMEOUT`. */
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
 *
 * Everything runs in this very process or page, and shares its fate: see `runChecks`.
 */
export async function runConformance(backends: readonly AnyBackend[], options: ConformanceOptions): Promise<Report> {
  const { vectors, deviations = [], properties = DEFAULT_PROPERTIES, timeout = DEFAULT_TIMEOUT, onProgress } = options;
  const started = performance.now();
  const suite = suiteChecks(vectors, properties);
  const results: BackendResult[] = [];
  for (const backend of backends) {
    const progress = (done: number, total: number, last: CaseResult): void => onProgress?.({ backend: nameOf(backend), done, total, last });
    results.push(await runChecks(backend, suite, { ...selectionOf(options), deviations, timeout, onProgress: progress }));
  }
  const duration = performance.now() - started;
  return reportOf(results, foreignDeviations(deviations, backends.map(nameOf)), duration, options);
}

/** The report of a run of these options. */
export function reportOf(
  results: readonly BackendResult[],
  problems: readonly string[],
  duration: number,
  options: ConformanceOptions & { readonly backends?: readonly string[] },
): Report {
  const { vectors, properties = DEFAULT_PROPERTIES, timeout = DEFAULT_TIMEOUT, backends = [] } = options;
  const suite = suiteChecks(vectors, properties);
  return {
    specVersion: SPEC_VERSION,
    suiteVersion: VERSION,
    vectors: { count: vectors.cases.length, sha256: vectors.sha256 },
    run: {
      filter: selectionOf(options),
      backends,
      selected: select(suite, options).length,
      total: suite.length,
      seed: properties.seed,
      runs: properties.runs,
      timeout,
      duration,
    },
    results,
    problems,
  };
}

function selectionOf({ only = null, checks = [], quick = false }: Selection): Required<Selection> {
  return { only, checks, quick };
}
