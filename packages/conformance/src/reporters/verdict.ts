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
    return isGreen(report) ? `Passed: ${passesOfAll(results)}. ${rest}` : `Failed: ${failuresOfAll(bad, results)}. ${rest}`;
  }
  if (!isGreen(report)) return `Does not conform: ${failuresOfAll(bad, results)}.`;
  const claims = results.some(({ skipped }) => skipped > 0) ? " in what it claims" : "";
  const known = results.reduce((sum, { xfailed }) => sum + xfailed, 0);
  const but = known === 0 ? "" : ` but for ${known} known deviation${known === 1 ? "" : "s"}`;
  return `Conforms${results.length > 1 ? claims.replace("it claims", "they claim") : claims}${but}: ${passesOfAll(results)}.`;
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

/** Of one backend how much it passed, of several how much each did. */
function passesOfAll(results: readonly BackendResult[]): string {
  const [first] = results;
  if (results.length === 1) return passes(first);
  const said = new Set(results.map(passes));
  const counts = results.map(({ passed }) => passed);
  const range = `${Math.min(...counts)} to ${Math.max(...counts)} of ${first.cases.length} checks`;
  return `all ${results.length} backends, ${said.size === 1 ? passes(first) : range} each`;
}

/** Of one backend what it failed; of several which of them did, by their names where they are few. */
function failuresOfAll(bad: readonly BackendResult[], results: readonly BackendResult[]): string {
  if (bad.length === 0) return "something is wrong with the run, see above";
  if (results.length === 1) return failures(bad[0]);
  const names = bad.length <= 4 ? bad.map(({ backend }) => backend).join(", ") : `${bad.length} backends`;
  const said = new Set(bad.map(failures));
  const what = said.size > 1 ? "" : `, ${failures(bad[0])}${bad.length > 1 ? " each" : ""}`;
  return `${names} (of ${results.length} backends)${what}`;
}
