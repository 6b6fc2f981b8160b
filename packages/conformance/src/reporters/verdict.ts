import { type BackendResult, type CaseResult, isGreen, isSound, type Report, type RunInfo } from "../report.ts";

/**
 * What a run says, in a sentence that claims no more than was run: `Conforms` is said of whole runs only, and with of how many.
 */
export function verdict(report: Report): string {
  const { run, results } = report;
  const filter = describeFilter(run);
  const bad = results.filter((each) => !isSound(each));
  if (filter !== null) {
    const rest = `That was ${run.selected} of the suite's ${run.total} checks (${filter}), and is no verdict on the whole.`;
    return isGreen(report) ? `Passed: ${sumUp(results, results, passes)}. ${rest}` : `Failed: ${sumUp(bad, results, failures)}. ${rest}`;
  }
  if (bad.length > 0) return `Does not conform: ${sumUp(bad, results, failures)}.`;
  if (!isGreen(report)) return "Does not conform: something is wrong with the run, see above.";
  const claims = results.some(({ skipped }) => skipped > 0) ? " in what it claims" : "";
  const known = results.reduce((sum, { xfailed }) => sum + xfailed, 0);
  const but = known === 0 ? "" : ` but for ${known} known deviation${known === 1 ? "" : "s"}`;
  return `Conforms${results.length > 1 ? claims.replace("it claims", "they claim") : claims}${but}: ${sumUp(results, results, passes)}.`;
}

/** How a run was narrowed, in the options of the command; null where it was whole. */
export function describeFilter({ filter: { only, checks, quick }, selected, total }: RunInfo): string | null {
  if (selected === total) return null;
  const options = [only === null ? "" : `--only ${only}`, ...checks.map((id) => `--check ${id}`), quick ? "--quick" : ""];
  return options.filter((option) => option !== "").join(" ");
}

/** How many of the vectors and of all checks a backend passed. */
export function passes({ cases }: BackendResult): string {
  const of = (checks: readonly CaseResult[]): string => `${checks.filter(({ status }) => status === "passed").length} of ${checks.length}`;
  const vectors = cases.filter(({ kind }) => kind === "vector");
  return vectors.length === 0 ? `${of(cases)} checks` : `${of(vectors)} vectors, ${of(cases)} checks`;
}

function failures({ failed, notRun, problems, cases }: BackendResult): string {
  const parts = [
    failed > 0 ? `${failed} of ${cases.length} checks failed` : "",
    notRun > 0 ? `${notRun} of ${cases.length} checks were not run` : "",
    failed + notRun === 0 ? `the run had ${problems.length === 1 ? "a problem" : `${problems.length} problems`}` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** What there is to say of these backends, of all: in full for one of one, by their names for a few. */
function sumUp(some: readonly BackendResult[], all: readonly BackendResult[], say: (result: BackendResult) => string): string {
  if (all.length === 1) return some.length === 0 ? "something is wrong with the run, see above" : say(some[0]);
  const said = new Set(some.map(say));
  const each = said.size === 1 ? `, ${say(some[0])} each` : "";
  if (some.length === all.length) return `all ${all.length} backends${each}`;
  const names = some.length <= 4 ? some.map(({ backend }) => backend).join(", ") : `${some.length} backends`;
  return `${names} (of ${all.length} backends)${some.length === 1 ? `, ${say(some[0])}` : each}`;
}
