import { CLAUSES } from "../clauses.generated.ts";
import { escapeMarkdown } from "../reporters/markdown.ts";
import { describeCause, formatDuration, formatShare, formatTimes } from "../reporters/summary.ts";
import type { Matrix, MatrixCell, MatrixClause, MatrixRuntime, RunCell } from "./format.ts";
import { isCellSound, isWhole, matrixVerdict, missingCells, runCells } from "./verdict.ts";

/**
 * The matrix, a row a backend and a column a runtime, and below it what is wrong or missing.
 *
 * @param clauses the address of the page of `matrixClausesMarkdown`.
 */
export function matrixMarkdown(matrix: Matrix, clauses: string): string {
  const { suite, started, duration, runtimes, problems } = matrix;
  const lines = [
    "# Every backend on every runtime",
    "",
    `**${escapeMarkdown(matrixVerdict(matrix))}**`,
    "",
    ...table(matrix, (cell) => describeCell(cell, matrix)),
    "",
    `A cell has how many of the ${suite.checks} checks passed, how many do not apply to the backend's manifest, and in brackets the worst error as a`,
    `share of the bound that docs/spec.md derives for it. *quick* is a run without the slow checks, those about large data${wholeRuns(matrix)}.`,
    `Clause by clause, with the reference framework's own error: [${clauses}](${clauses}).`,
    "",
    `Made by \`npx -y pnpm@12 conformance:all\` of the packed packages, ${started.slice(0, 10)}, in ${formatDuration(duration)}; suite ${suite.version},`,
    `${suite.vectors.count} golden vectors with the sha256 \`${suite.vectors.sha256}\`, random cases of seed ${suite.seed}.`,
    "",
    "| runtime | version | machine | how to get it |",
    "|---|---|---|---|",
    ...runtimes.map(
      ({ name, version, platform, howToGet }) =>
        `| ${name} | ${version ?? "**not run**"} | ${escapeMarkdown(platform ?? "")} | ${howToGet} |`,
    ),
    "",
    ...problems.map((problem) => `- ${escapeMarkdown(problem)}`),
    ...(problems.length > 0 ? [""] : []),
    ...missing(matrix),
    ...runCells(matrix).flatMap((cell) => notes(cell, nameOf(matrix, cell))),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** The matrix in few words, without anything around it: for a page that is about something else. */
export function matrixSummary(matrix: Matrix): string {
  return table(matrix, (cell) => {
    if (cell.status === "not-run") return "not run";
    return isCellSound(cell) ? `✓ ${cell.result.passed}` : `✗ ${cell.result.failed + cell.result.notRun}`;
  }).join("\n");
}

/** What each backend fulfills on each runtime, clause by clause: a table a runtime. */
export function matrixClausesMarkdown(matrix: Matrix): string {
  const lines = [
    "# Every backend on every runtime, clause by clause",
    "",
    "How many checks of a clause passed. In brackets: the worst error as a share of the derived bound; that of the framework which made the vectors, by the",
    "same bound; and the largest error as a multiple of the framework's own, or of a unit in the last place where that is more.",
    "",
    ...matrix.runtimes.flatMap((runtime) => {
      const cells = runCells(matrix).filter((cell) => cell.runtime === runtime.id);
      return cells.length === 0 ? [] : clausesOf(runtime, cells);
    }),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function table(matrix: Matrix, show: (cell: MatrixCell) => string): string[] {
  const { runtimes, cells } = matrix;
  const backends = [...new Set(cells.map(({ backend }) => backend))].sort((a, b) => a.localeCompare(b, "en"));
  const cellOf = (backend: string, runtime: string): string => {
    const cell = cells.find((each) => each.backend === backend && each.runtime === runtime);
    return cell === undefined ? "" : show(cell);
  };
  return [
    `| | ${runtimes.map(({ name }) => name).join(" | ")} |`,
    `|---|${runtimes.map(() => "---").join("|")}|`,
    ...backends.map((name) => `| ${escapeMarkdown(name)} | ${runtimes.map(({ id }) => cellOf(name, id)).join(" | ")} |`),
  ];
}

function describeCell(cell: MatrixCell, matrix: Matrix): string {
  if (cell.status === "not-run") return "not run";
  const { passed, failed, notRun, skipped, xfailed, problems, clauses } = cell.result;
  const bad = [
    failed > 0 ? `**${failed} failed**` : "",
    notRun > 0 ? `**${notRun} not run**` : "",
    problems.length > 0 ? "**a problem**" : "",
  ].filter(Boolean);
  const known = [skipped > 0 ? `${skipped} skipped` : "", xfailed > 0 ? `${xfailed} deviate` : ""].filter(Boolean);
  const worst = clauses.reduce((most, each) => Math.max(most, each.worst?.share ?? 0), 0);
  const parts = [...(bad.length > 0 ? [...bad, `${passed} passed`] : [`✓ ${passed}`]), ...known];
  return `${parts.join(", ")} (${formatShare({ share: worst })})${isWhole(cell, matrix) ? "" : " *quick*"}`;
}

/** Where the whole suite was run, as the end of a sentence. */
function wholeRuns(matrix: Matrix): string {
  const whole = new Set(runCells(matrix).flatMap((cell) => (isWhole(cell, matrix) ? cell.backend : [])));
  const all = matrix.cells.every(({ backend }) => whole.has(backend));
  return all ? ": every backend has the whole suite on one runtime at least" : "";
}

function missing(matrix: Matrix): string[] {
  const cells = missingCells(matrix);
  if (cells.length === 0) return [];
  const lines = cells.map((cell) => `- ${escapeMarkdown(cell.backend)} on ${nameOf(matrix, cell)}: ${escapeMarkdown(cell.reason)}`);
  return ["## Not run", "", ...lines, ""];
}

function notes({ backend, result }: RunCell, runtime: string): string[] {
  const { cases, causes, problems } = result;
  if (cases.length + problems.length === 0) return [];
  return [
    `## ${escapeMarkdown(backend)} on ${runtime}`,
    "",
    ...causes.map((cause) => `- **${escapeMarkdown(describeCause(cause))}**`),
    ...problems.map((problem) => `- ${escapeMarkdown(problem)}`),
    ...cases.map(({ id, status, reason, failures }) => {
      const why = [reason, failures[0]?.message].filter((each) => each !== undefined).join(": ");
      return `- \`${id}\`: ${status}. ${escapeMarkdown(why)}`;
    }),
    "",
  ];
}

function clausesOf(runtime: MatrixRuntime, cells: readonly RunCell[]): string[] {
  const numbers = [...new Set(cells.flatMap(({ result }) => result.clauses.map(({ clause }) => clause)))];
  numbers.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const found = (cell: RunCell, number: string): MatrixClause | undefined => cell.result.clauses.find(({ clause }) => clause === number);
  return [
    `## ${runtime.name} (${runtime.version})`,
    "",
    `| clause | | ${cells.map(({ backend }) => escapeMarkdown(backend)).join(" | ")} |`,
    `|---|---|${cells.map(() => "---").join("|")}|`,
    ...numbers.map(
      (number) =>
        `| ${number} | ${escapeMarkdown(CLAUSES[number] ?? "")} | ${cells.map((cell) => describeClause(found(cell, number))).join(" | ")} |`,
    ),
    "",
  ];
}

function describeClause(found: MatrixClause | undefined): string {
  if (found === undefined) return "";
  const { passed, failed, notRun, skipped, xfailed, worst, reference, timesReference } = found;
  const bad = [failed > 0 ? `**${failed} failed**` : "", notRun > 0 ? `**${notRun} not run**` : ""].filter(Boolean);
  if (bad.length > 0) return [...bad, `${passed} passed`].join(", ");
  const known = [skipped > 0 ? `${skipped} skipped` : "", xfailed > 0 ? `${xfailed} deviate` : ""].filter(Boolean);
  const numbers = [formatShare(worst), formatShare(reference), formatTimes(timesReference?.times ?? null)].filter(Boolean).join(", ");
  return [`${passed} ✓`, ...known, ...(numbers === "" ? [] : [`(${numbers})`])].join(" ");
}

function nameOf({ runtimes }: Matrix, cell: MatrixCell): string {
  return runtimes.find(({ id }) => id === cell.runtime)?.name ?? cell.runtime;
}
