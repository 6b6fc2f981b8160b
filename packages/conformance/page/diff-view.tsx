import type { JSX } from "preact";
import { CLAUSES } from "../src/clauses.generated.ts";
import type { CellDiff, Change, KnownStatus, Matrix, MatrixDiff } from "../src/matrix/index.ts";
import { FirstFew } from "./first-few.tsx";
import { Opened } from "./opened.tsx";
import { Scroll } from "./scroll.tsx";
import { hashOf } from "./selected-cell.ts";
import { day, nameOf, plural, share } from "./words.ts";

export interface DiffViewProps {
  readonly before: Matrix;
  readonly after: Matrix;
  readonly diff: MatrixDiff;
  /** Of its heading. */
  readonly level: 1 | 2;
}

/** What changed from one result to another, what became worse first. */
export function DiffView({ before, after, diff, level }: DiffViewProps): JSX.Element {
  const worse = diff.cells.reduce((sum, cell) => sum + badness(cell), 0);
  const better = diff.cells.reduce((sum, cell) => sum + cell.better.length, 0);
  const Heading = level === 1 ? "h1" : "h2";
  const runtimes = [...after.runtimes, ...before.runtimes];
  return (
    <section class="diff">
      <header class={worse > 0 ? "answer bad" : "answer good"}>
        <Heading>{headline(worse, better, diff)}</Heading>
        <p>
          {day(after.started)}, compared with {day(before.started)}. {plural(diff.same, "cell")} of the matrix{" "}
          {diff.same === 1 ? "is" : "are"} the same.
        </p>
      </header>
      <Changes
        title="The suites differ, so not every change is a backend's"
        of="What"
        changes={diff.suite.map((each) => [each.name, each.before, each.after])}
      />
      <Changes
        title="Runtimes"
        of="Runtime"
        changes={diff.runtimes.map((each) => [each.name, each.before ?? "not run", each.after ?? "not run"])}
      />
      {[...diff.cells]
        .sort((a, b) => badness(b) - badness(a))
        .map((cell) => (
          <Cell key={hashOf(cell)} cell={cell} runtime={nameOf(cell.runtime, runtimes)} />
        ))}
    </section>
  );
}

function headline(worse: number, better: number, { cells, suite, runtimes }: MatrixDiff): string {
  if (worse > 0) return `${worse} worse${better > 0 ? `, ${better} better` : ""}`;
  if (better > 0) return `${better} better, nothing worse`;
  return cells.length + suite.length + runtimes.length === 0 ? "Nothing changed" : "No check became worse or better";
}

function badness({ worse, problems, before, after }: CellDiff): number {
  return worse.length + problems.length + Number(before?.status === "ran" && after?.status !== "ran");
}

function Cell({ cell, runtime }: { readonly cell: CellDiff; readonly runtime: string }): JSX.Element {
  const { backend, before, after, worse, better, problems, errors } = cell;
  const was = (side: CellDiff["before"]): string => (side === null ? "not there" : side.status === "ran" ? "run" : "not run");
  const counts = [
    ...(was(before) === was(after) ? [] : [`${was(before)} → ${was(after)}`]),
    ...(worse.length > 0 ? [`${worse.length} worse`] : []),
    ...(problems.length > 0 ? [plural(problems.length, "problem")] : []),
    ...(better.length > 0 ? [`${better.length} better`] : []),
    ...(errors.length > 0 ? [`worst error of ${plural(errors.length, "clause")}`] : []),
  ];
  return (
    <Opened
      open={badness(cell) > 0}
      summary={
        <>
          {backend} <span class="on">on {runtime}</span> <small>{counts.join(", ")}</small>
        </>
      }
    >
      {problems.map((problem) => (
        <p key={problem} class="problem">
          {problem.split("\n")[0]}
        </p>
      ))}
      <Statuses title="Worse" changes={worse} />
      <Statuses title="Better" changes={better} />
      <Changes
        title="Worst error, as a share of the bound"
        of="Clause"
        changes={errors.map(({ name, before: from, after: to }) => [`${name} ${CLAUSES[name] ?? ""}`, share(from), share(to)])}
      />
    </Opened>
  );
}

const WORDS: Readonly<Record<Exclude<KnownStatus, null>, string>> = {
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
  xfailed: "known deviation",
  "not-run": "not run",
};

function Statuses({ title, changes }: { readonly title: string; readonly changes: readonly Change<KnownStatus>[] }): JSX.Element {
  const word = (status: KnownStatus): string => (status === null ? "passed or not asked for" : WORDS[status]);
  return <Changes title={title} of="Check" changes={changes.map(({ name, before, after }) => [name, word(before), word(after)])} />;
}

type Row = readonly [name: string, before: string, after: string];

/** So many changes are listed at once. */
const LISTED = 12;

interface ChangesProps {
  readonly title: string;
  /** What the rows are, in the singular. */
  readonly of: string;
  readonly changes: readonly Row[];
}

function Changes({ title, of, changes }: ChangesProps): JSX.Element | null {
  if (changes.length === 0) return null;
  return (
    <FirstFew all={changes} count={LISTED} what="rows">
      {(shown) => (
        <Scroll label={title}>
          <table>
            <caption>{title}</caption>
            <thead>
              <tr>
                <th scope="col">{of}</th>
                <th scope="col">Before</th>
                <th scope="col">Now</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(([name, before, after]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{before}</td>
                  <td>{after}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </FirstFew>
  );
}
