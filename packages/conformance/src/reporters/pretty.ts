import { styleText } from "node:util";
import { CLAUSES } from "../clauses.generated.ts";
import {
  type BackendResult,
  type CaseResult,
  type Cause,
  isGreen,
  isSound,
  type MutantResult,
  type Report,
  type Status,
} from "../report.ts";
import {
  countBy,
  describeCause,
  exampleOf,
  extremes,
  type FailedClause,
  failedClauses,
  formatDuration,
  formatShare,
  formatTimes,
  furthestFromReference,
  summarize,
} from "./summary.ts";
import { indent, table } from "./table.ts";
import { verdict } from "./verdict.ts";

/** So much of what fails is shown in full: the rest is counted. */
const CLAUSES_SHOWN = 4;
const CHECKS_SHOWN = 3;
const FAILURES_SHOWN = 2;

const GOOD = styleText("green", "✓");
const BAD = styleText("red", "✗");
const NOTE = styleText("yellow", "!");

const STATUS: Readonly<Record<Status, string>> = {
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
  xfailed: "known to deviate",
  "not-run": "not run",
};

/**
 * The report for a terminal, whose last lines are read first: at the end the verdict, above it a line for every backend, above that
 * what is wrong, with what the failures have in common and the clause at fault first.
 */
export function pretty(report: Report): string {
  const { results, problems, mutants } = report;
  const blocks = [
    // One backend that is right has room for its whole table.
    ...(results.length === 1 && isSound(results[0]) ? [clauseTable(results[0])] : []),
    ...results.map(details),
    ...(mutants ? [mutantBlock(mutants)] : []),
    problems.map((problem) => `${BAD} ${problem}`),
    [...overview(results), ...(report.run.filter.checks.length > 0 ? [] : hints(results))],
    [styleText(isGreen(report) ? ["green", "bold"] : ["red", "bold"], verdict(report)), styleText("dim", howItRan(report))],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** What there is to say of a backend besides its numbers: nothing where all is well. */
function details(result: BackendResult): string[] {
  const { problems, causes, cases } = result;
  const explained = new Set(causes.flatMap(({ checks }) => checks));
  const blocks = [
    problems.flatMap((problem) => withDetail(BAD, problem.split("\n"))),
    ...causes.map((cause) => causeLines(cause, cases)),
    ...clauseBlocks(failedClauses(result, explained), explained.size > 0),
    [...reasonLines(result, "not-run", BAD), ...reasonLines(result, "xfailed", NOTE), ...reasonLines(result, "skipped", NOTE)],
  ].filter((lines) => lines.length > 0);
  if (blocks.length === 0) return [];
  return [styleText("bold", result.backend), ...blocks.flatMap((lines, index) => indent(index === 0 ? lines : ["", ...lines], 2))];
}

/** One cause, said once: what it is, one failure of it, and where the others are. */
function causeLines(cause: Cause, cases: readonly CaseResult[]): string[] {
  const checks = new Set(cause.checks);
  const failed = cases.filter(({ id }) => checks.has(id));
  const clauses = countBy(failed, ({ clause }) => clause);
  const where = clauses.map(([clause, count]) => `${clause} (${count})`).join(", ");
  return [
    `${NOTE} ${styleText("bold", describeCause(cause))}`,
    ...indent(failureLines(exampleOf(cause, cases)), 2),
    ...(failed.length > 1 ? [styleText("dim", `  ${failed.length} checks of the clauses ${where}`)] : []),
  ];
}

function clauseBlocks(clauses: readonly FailedClause[], more: boolean): string[][] {
  const share = ({ of, failed }: FailedClause): string => `${failed.length}${more ? " more" : ""} of ${of}`;
  const others = clauses.slice(CLAUSES_SHOWN).map((each) => `${each.clause} (${share(each)})`);
  return [
    ...clauses
      .slice(0, CLAUSES_SHOWN)
      .map(({ clause, of, failed }) => [
        `${styleText("bold", `${clause} ${CLAUSES[clause] ?? ""}`)}  ${styleText("red", `${share({ clause, of, failed })} fail`)}`,
        ...indent(failed.slice(0, CHECKS_SHOWN).flatMap(failureLines), 2),
        ...(failed.length > CHECKS_SHOWN ? [styleText("dim", `  and ${failed.length - CHECKS_SHOWN} more checks of this clause`)] : []),
      ]),
    others.length === 0 ? [] : [`${styleText("bold", "Also fail")}  ${others.join(", ")}`],
  ];
}

function failureLines({ id, clause, failures, failureCount }: CaseResult): string[] {
  const shown = failures.slice(0, FAILURES_SHOWN);
  const more = failureCount - shown.length;
  // The clause stands above, or in the list of clauses.
  const sentence = (message: string): string => message.replace(`clause ${clause}, `, "").replace(`clause ${clause}: `, "");
  return [
    `${BAD} ${id}`,
    ...indent(
      shown.flatMap(({ message, stack }) => withDetail("", [sentence(message), ...(stack?.split("\n") ?? [])])),
      4,
    ),
    ...(more > 0 ? [styleText("dim", `    and ${more} more`)] : []),
  ];
}

/** How many were skipped, not run or excused, and why. */
function reasonLines(result: BackendResult, status: Status, mark: string): string[] {
  const found = countBy(
    result.cases.filter((each) => each.status === status),
    ({ reason }) => reason ?? "",
  );
  const all = found.reduce((sum, [, count]) => sum + count, 0);
  const why = found.length === 1 ? found[0][0] : found.map(([reason, count]) => `${reason} (${count})`).join(", ");
  return all === 0 ? [] : [`${mark} ${all} ${STATUS[status]}: ${why}`];
}

/** A sentence after its mark, and dimmed below it where it comes from. */
function withDetail(mark: string, [sentence, ...detail]: readonly string[]): string[] {
  return [
    mark === "" ? sentence : `${mark} ${sentence}`,
    ...indent(
      detail.map((line) => styleText("dim", line)),
      2,
    ),
  ];
}

/** A line for every backend. */
function overview(results: readonly BackendResult[]): string[] {
  return table(
    results.map((result) => {
      const { backend, passed, failed, skipped, xfailed, notRun, duration } = result;
      const parts: [number, string][] = [
        [failed, styleText("red", `${failed} failed`)],
        [notRun, styleText("red", `${notRun} not run`)],
        [xfailed, styleText("yellow", `${xfailed} known to deviate`)],
        [skipped, styleText("yellow", `${skipped} skipped`)],
      ];
      const counted = [`${passed} passed`, ...parts.filter(([count]) => count > 0).map(([, text]) => text)].join(", ");
      const { worst } = extremes(result);
      const error = worst === null || !isSound(result) ? "" : `worst error ${formatShare(worst)} of the bound`;
      return [`${isSound(result) ? GOOD : BAD} ${styleText("bold", backend)}`, counted, error, styleText("dim", formatDuration(duration))];
    }),
  );
}

/** How to look further into what failed. */
function hints(results: readonly BackendResult[]): string[] {
  const [first] = results.flatMap((result) => {
    const { causes, cases } = result;
    return causes.length > 0 ? [exampleOf(causes[0], cases)] : failedClauses(result).flatMap(({ failed }) => failed);
  });
  return first === undefined ? [] : ["", styleText("dim", `To look into one: --check ${first.id}. All of it: --reporter json.`)];
}

function howItRan({ run, vectors, results }: Report): string {
  const times = results.length > 1 ? `, ${formatDuration(run.duration)}` : "";
  return `seed ${run.seed}, ${run.runs} random cases a property, vectors ${vectors.sha256.slice(0, 12)}${times}`;
}

function clauseTable(result: BackendResult): string[] {
  const number = (count: number): string => (count === 0 ? "" : String(count));
  const rows = summarize(result).map((each) => [
    each.clause,
    each.title,
    String(each.passed),
    number(each.skipped),
    number(each.xfailed),
    formatShare(each.worst),
    formatShare(each.reference),
    formatTimes(each.timesReference),
  ]);
  const head = ["", "clause", "passed", "skipped", "deviates", "error/bound", "reference's", "error/reference's"];
  const [first, ...others] = table([head, ...rows], [2, 3, 4, 5, 6, 7]);
  const { worst, reference } = extremes(result);
  const furthest = furthestFromReference(result);
  return [
    styleText("dim", first),
    ...others,
    ...(worst === null ? [] : ["", `The worst error is ${formatShare(worst)} of the bound: ${worst.output} of ${worst.id}.`]),
    ...(reference === null
      ? []
      : [`The reference's own (Keras; PyTorch in its family) is ${formatShare(reference)}: ${reference.output} of ${reference.id}.`]),
    ...(furthest === null ? [] : [`It is at most ${formatTimes(furthest.times)} as far from the truth as the reference: ${furthest.id}.`]),
  ];
}

function mutantBlock(mutants: readonly MutantResult[]): string[] {
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null).length;
  const title = `${caught === mutants.length ? GOOD : BAD} ${styleText("bold", "mutants")}  ${caught} of ${mutants.length} wrong backends caught`;
  const rows = mutants.map(({ mutant, fault, clauses, caughtBy }) => [
    caughtBy === null ? styleText("red", `lives (${clauses.join(", ")})`) : caughtBy.clause,
    mutant,
    fault,
  ]);
  const [first, ...others] = table([["caught by", "mutant", "fault"], ...rows]);
  return [title, ...indent([styleText("dim", first), ...others], 2)];
}
