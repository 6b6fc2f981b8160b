import {
  isCellSound,
  isMatrixGreen,
  isWhole,
  type Matrix,
  type MatrixCell,
  type MatrixRuntime,
  type RunCell,
  runCells,
} from "../src/matrix/index.ts";

/** How it stands with one backend on one runtime. `passed-part`: all that was run is right, and not everything was run. */
export type Standing = "conforms" | "passed-part" | "fails" | "not-run";

export function standingOf(cell: MatrixCell, matrix: Matrix): Standing {
  if (cell.status === "not-run") return "not-run";
  if (!isCellSound(cell)) return "fails";
  return isWhole(cell, matrix) ? "conforms" : "passed-part";
}

export const MARK: Readonly<Record<Standing, string>> = { conforms: "✓", "passed-part": "◐", fails: "✗", "not-run": "–" };

/** The answer of a whole result: a headline, and what it does not say. */
export interface Answer {
  readonly good: boolean | null;
  readonly headline: string;
  readonly details: readonly string[];
}

export function answerOf(matrix: Matrix): Answer {
  const { runtimes, problems, suite } = matrix;
  const ran = runCells(matrix);
  if (ran.length === 0) return { good: null, headline: "Nothing was run", details: problems };
  const bad = ran.filter((cell) => !isCellSound(cell));
  const backends = new Set(ran.map(({ backend }) => backend));
  const failing = [...new Set(bad.map(({ backend }) => backend))];
  const part = ran.filter((cell) => !isWhole(cell, matrix));
  // What had the whole suite somewhere is judged by it, and by what was run elsewhere.
  const whole = new Set(ran.filter((cell) => isWhole(cell, matrix)).map(({ backend }) => backend));
  const unproven = whole.size < backends.size;
  const missing = [...runtimes.filter(({ status }) => status === "not-run").map(({ name }) => name), ...missingBackends(matrix)];
  const details = [
    ...(part.length > 0 ? [partly(selectedRange(part), suite.checks, part.length, ran.length, unproven)] : []),
    ...(missing.length > 0 ? [`Not run: ${listed(missing)}.`] : []),
    ...problems,
  ];
  return { good: isMatrixGreen(matrix), headline: headline(backends, failing, unproven, problems), details };
}

function partly(selected: string, all: number, cells: number, of: number, unproven: boolean): string {
  const what = `${selected} of ${all} checks were run`;
  if (unproven) return `No verdict on the whole: ${what}.`;
  return `The whole suite was run on ${plural(of - cells, "cell")}; on ${plural(cells, "other")} ${what}.`;
}

function headline(backends: ReadonlySet<string>, failing: readonly string[], part: boolean, problems: readonly string[]): string {
  const verb = (count: number): string => (part ? (count === 1 ? "passes" : "pass") : count === 1 ? "conforms" : "conform");
  const what = part ? " what was run" : "";
  if (failing.length === 0 && problems.length > 0) return "Something is wrong with the run";
  const [only] = backends;
  if (backends.size === 1) {
    if (failing.length === 0) return `${only} ${verb(1)}${what}`;
    return part ? `${only} fails` : `${only} does not conform`;
  }
  if (failing.length === 0) return `All ${backends.size} backends ${verb(backends.size)}${what}`;
  const all = failing.length === backends.size ? "None" : `${backends.size - failing.length}`;
  return `${all} of ${backends.size} backends ${all === "1" ? verb(1) : verb(2)}${what}`;
}

/** Backends that their runtime could have had, and did not. */
function missingBackends({ cells, runtimes }: Matrix): string[] {
  const ran = new Set(runtimes.filter(({ status }) => status === "ran").map(({ id }) => id));
  return cells
    .filter((cell) => cell.status === "not-run" && ran.has(cell.runtime))
    .map(({ backend, runtime }) => `${backend} on ${nameOf(runtime, runtimes)}`);
}

export function nameOf(id: string, runtimes: readonly MatrixRuntime[]): string {
  return runtimes.find((each) => each.id === id)?.name ?? id;
}

function selectedRange(cells: readonly RunCell[]): string {
  const counts = cells.map(({ run }) => run.selected);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
}

/** How a run was narrowed, in the options of the command. */
export function narrowing({ run: { only, checks, quick } }: RunCell): string {
  return [only === null ? "" : `--only ${only}`, ...checks.map((id) => `--check ${id}`), quick ? "--quick" : ""].filter(Boolean).join(" ");
}

/** So many of a list are named: the rest is counted. */
const NAMED = 4;

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 1 ? `${names.slice(0, NAMED).join(", ")} and ${more} more` : names.join(", ");
}

export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A share of the bound, as people read it. */
export function share(value: number): string {
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "0";
  if (value >= 1000) return value.toExponential(1).replace("e+", "e");
  return value >= 10 ? value.toFixed(0) : value >= 0.001 ? value.toFixed(3) : value.toExponential(0);
}

/** A number of a failure, with all digits that tell it from its neighbours. */
export function exact(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

export function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  return value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

/** A time in ISO 8601, as people read it. */
export function day(iso: string): string {
  return `${iso.slice(0, 10)}, ${iso.slice(11, 16)} UTC`;
}
