import { UsageError } from "../config.ts";
import { type Deviation, foreignDeviations } from "../deviations.ts";
import type { BackendResult, Report } from "../report.ts";
import { select } from "../selection.ts";
import { type ConformanceOptions, DEFAULT_PROPERTIES, reportOf, suiteChecks } from "../suite.ts";
import { DEFAULT_TIMEOUT } from "../waiting.ts";
import type { StartPlace } from "./place.ts";
import { type BackendRun, type BackendRunOptions, runBackend } from "./run-backend.ts";

export interface ConfigRunOptions extends ConformanceOptions {
  /** What the config is called in messages. */
  readonly config: string;
  /** The names of the backends that are to be run. Empty or left out: all. */
  readonly backends?: readonly string[];
  /** Whether results have what the backend gave. Default false. */
  readonly outputs?: boolean;
}

/**
 * Holds the backends of a config against the suite, one after another, each in places of its own that `start` makes, and returns the
 * report: there is a result for every backend, whatever one of them does.
 *
 * @throws UsageError when the config cannot be loaded or is none, or has no backend of a wanted name.
 */
export async function runConfig(start: StartPlace, options: ConfigRunOptions): Promise<Report> {
  const { vectors, config, backends: wanted = [], properties = DEFAULT_PROPERTIES, timeout = DEFAULT_TIMEOUT } = options;
  const { deviations = [], outputs = false, onProgress = () => {} } = options;
  const started = performance.now();
  const suite = suiteChecks(vectors, properties);
  const selected = select(suite, options);
  const each: BackendRunOptions = { backends: wanted, suite, selected, properties, deviations, timeout, outputs, onProgress };
  const runs = await runBackends(start, config, each);
  return reportOf(resultsOf(runs, wanted, config), misnamed(runs), performance.now() - started, options);
}

/** Until there is none left, or all that are wanted are done. */
async function runBackends(start: StartPlace, config: string, options: BackendRunOptions): Promise<BackendRun[]> {
  const { backends: wanted } = options;
  const runs: BackendRun[] = [];
  for (let count = 1; runs.length < count && (wanted.length === 0 || missing(wanted, runs).length > 0); ) {
    const run = await runBackend(start, runs.length, options);
    if (run.refused !== null) throw new UsageError(`${config} ${run.refused.why}`, run.refused.detail ?? null);
    runs.push(run);
    count = run.count ?? count;
  }
  return runs;
}

/** A backend that could not be made has no name: it may be a wanted one, unless those have all been found. */
function resultsOf(runs: readonly BackendRun[], wanted: readonly string[], config: string): BackendResult[] {
  const named = runs.filter(({ name }) => name !== null);
  const [unknown] = missing(wanted, runs);
  if (unknown !== undefined && named.length === runs.length) {
    throw new UsageError(`--backend ${unknown}: not in ${config}, expected one of ${named.map(({ name }) => name).join(", ")}.`);
  }
  return (unknown === undefined && wanted.length > 0 ? named : runs).flatMap(({ result }) => result ?? []);
}

function missing(wanted: readonly string[], runs: readonly BackendRun[]): string[] {
  return wanted.filter((each) => !runs.some(({ name }) => name === each));
}

/** Deviations of backends that are not there; nobody can say so before every backend of the config has told its name. */
function misnamed(runs: readonly BackendRun[]): string[] {
  const names = runs.map(({ name }) => name);
  const deviations: readonly Deviation[] = runs[0].deviations;
  if (runs.length < (runs[0].count ?? 0) || names.includes(null)) return [];
  return foreignDeviations(deviations, names as string[]);
}
