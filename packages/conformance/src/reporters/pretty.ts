import { stripVTControlCharacters, styleText } from "node:util";
import { type BackendResult, type CaseResult, isGreen, type MutantResult, type Report } from "../report.ts";
import { extremes, formatShare, formatTimes, furthestFromReference, summarize } from "./summary.ts";

const SHOWN_CASES = 10;

/** The report for a terminal: clause by clause, then what failed and why, then one line that says it all. */
export function pretty(report: Report): string {
  const blocks = [
    ...report.results.map((result) => [heading(result), ...clauseTable(result), ...accuracy(result), ...details(result)].join("\n")),
    ...(report.mutants ? [mutantBlock(report.mutants)] : []),
    verdict(report),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function heading({ backend, passed, failed, skipped, xfailed, problems }: BackendResult): string {
  const good = failed === 0 && problems.length === 0;
  const counts = [`${passed} passed`, `${failed} failed`, `${skipped} skipped`, `${xfailed} known deviations`].join(", ");
  return `${styleText(good ? "green" : "red", good ? "✓" : "✗")} ${styleText("bold", backend)}  ${counts}`;
}

function clauseTable(result: BackendResult): string[] {
  const rows = summarize(result).map((each) => [
    each.clause,
    each.title,
    String(each.passed),
    each.failed === 0 ? "" : styleText("red", String(each.failed)),
    each.skipped === 0 ? "" : String(each.skipped),
    each.xfailed === 0 ? "" : String(each.xfailed),
    formatShare(each.worst),
    formatShare(each.reference),
    formatTimes(each.timesReference),
  ]);
  const heads = ["", "clause", "passed", "failed", "skipped", "deviates", "error/bound", "reference's", "error/reference's"];
  return table([heads, ...rows], [2, 3, 4, 5, 6, 7, 8]).map((line, index) => (index === 0 ? styleText("dim", line) : line));
}

function accuracy(result: BackendResult): string[] {
  const { worst, reference } = extremes(result);
  const lines: string[] = [];
  if (worst !== null) lines.push(`  worst error: ${formatShare(worst)} of the bound, ${worst.output} of ${worst.id}`);
  if (reference !== null)
    lines.push(
      `  the reference's own (Keras; PyTorch in its family): ${formatShare(reference)} of the bound, ${reference.output} of ${reference.id}`,
    );
  const furthest = furthestFromReference(result);
  if (furthest !== null) lines.push(`  at most ${formatTimes(furthest.times)} as far from the truth as the reference, in ${furthest.id}`);
  return lines.length === 0 ? [] : ["", ...lines];
}

function details({ cases, problems }: BackendResult): string[] {
  const failed = cases.filter(({ status }) => status === "failed");
  const lines = problems.map((problem) => `  ${styleText("red", "✗")} ${problem}`);
  for (const each of failed.slice(0, SHOWN_CASES)) lines.push(...failureLines(each));
  if (failed.length > SHOWN_CASES) lines.push(`  and ${failed.length - SHOWN_CASES} more failed checks: --reporter json has them all`);
  for (const [reason, count] of reasons(cases, "skipped")) lines.push(`  ${styleText("yellow", "-")} ${count} skipped: ${reason}`);
  for (const [reason, count] of reasons(cases, "xfailed")) lines.push(`  ${styleText("yellow", "!")} ${count} known to deviate: ${reason}`);
  return lines.length === 0 ? [] : ["", ...lines];
}

function failureLines({ id, failures, failureCount }: CaseResult): string[] {
  const more = failureCount > failures.length ? [`      and ${failureCount - failures.length} more like these`] : [];
  return [`  ${styleText("red", "✗")} ${id}`, ...failures.map(({ message }) => `      ${message}`), ...more];
}

function reasons(cases: readonly CaseResult[], status: CaseResult["status"]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of cases) if (each.status === status) counts.set(each.reason ?? "", (counts.get(each.reason ?? "") ?? 0) + 1);
  return counts;
}

function mutantBlock(mutants: readonly MutantResult[]): string {
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null).length;
  const good = caught === mutants.length;
  const title = `${styleText(good ? "green" : "red", good ? "✓" : "✗")} ${styleText("bold", "mutants")}  ${caught} of ${mutants.length} wrong backends caught`;
  const rows = mutants.map(({ mutant, fault, clauses, caughtBy }) => [
    caughtBy === null ? styleText("red", `lives (${clauses.join(", ")})`) : caughtBy.clause,
    mutant,
    fault,
  ]);
  return [
    title,
    ...table([["caught by", "mutant", "fault"], ...rows], []).map((line, index) => (index === 0 ? styleText("dim", line) : line)),
  ].join("\n");
}

function verdict(report: Report): string {
  const { count, sha256 } = report.vectors;
  const line = `${count} vectors (sha256 ${sha256.slice(0, 12)}), ${report.results.length} backend${report.results.length === 1 ? "" : "s"}`;
  return isGreen(report) ? styleText("green", `Conforms: ${line}.`) : styleText("red", `Does not conform: ${line}.`);
}

/** Columns padded to their widest cell; `right` lists those that are aligned to the right. */
function table(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => stripVTControlCharacters(row[column]).length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const space = " ".repeat(widths[column] - stripVTControlCharacters(cell).length);
      return right.includes(column) ? space + cell : cell + space;
    });
    return `  ${cells.join("  ")}`.trimEnd();
  });
}
