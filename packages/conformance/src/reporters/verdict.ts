import { type BackendResult, type CaseResult, isGreen, isSound, type Report, type RunInfo } from "../report.ts";

/**
 * What a run says, in a sentence that claims no more than was run: `Conforms` is said of whole runs only, and with of how many.
 */
export function verdict(report: Report): string {
  const { run, results } = report;
  const filter = describeFilter(run);
  if (filter !== null) {
    const word = isGreen(report) ? "Passed" : "Failed";
    return `${word}: ${sumUp(results)}. That was ${run.selected} of the suite's ${run.total} checks (${filter}): no verdict on the whole.`;
  }
  const bad = results.filter((each) => !isSound(each));
  if (!isGreen(report)) return `Does not conform: ${bad.length === 0 ? "see what is wrong with the run" : sumUp(bad, results.length)}.`;
  const skipped = results.some((each) => each.skipped > 0);
  const known = results.reduce((sum, { xfailed }) => sum + xfailed, 0);
  const but = known === 0 ? "" : ` but for ${known} known deviation${known === 1 ? "" : "s"}`;
  return `Conforms${skipped ? " in what it claims" : ""}${but}: ${sumUp(results)}.`;
}

/** How a run was narrowed, in the options of the command; null where it was whole. */
export function describeFilter({ filter: { only, checks, quick }, selected, total }: RunInfo): string | null {
  const options = [...(only === null ? [] : [`--only ${only}`]), ...checks.map((id) => `--check ${id}`), ...(quick ? ["--quick"] : [])];
  return selected === total && !quick ? null : options.join(" ");
}

/** How many of the checks, and of the vectors among them, a backend passed. */
export function counts({ cases }: BackendResult): string {
  const of = (checks: readonly CaseResult[]): string => `${checks.filter(({ status }) => status === "passed").length} of ${checks.length}`;
  const vectors = cases.filter(({ kind }) => kind === "vector");
  return vectors.length === 0 ? `${of(cases)} checks` : `${of(vectors)} vectors, ${of(cases)} checks`;
}

function sumUp(results: readonly BackendResult[], all: number = results.length): string {
  const [first] = results;
  if (all === 1) return counts(first);
  const names = results.length <= 4 ? results.map(({ backend }) => backend).join(", ") : `${results.length} backends`;
  const each = new Set(results.map(counts));
  const how = each.size === 1 ? `, ${counts(first)} each` : "";
  return results.length === all ? `${all} backends${how}` : `${names} (${results.length} of ${all} backends)${how}`;
}
