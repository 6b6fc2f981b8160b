import type { JSX } from "preact";
import { CLAUSES } from "../src/clauses.generated.ts";
import type { CellDiff, Change, KnownStatus, Matrix, MatrixDiff } from "../src/matrix/index.ts";
import { Opened } from "./opened.tsx";
import { hashOf } from "./selected-cell.ts";
import { day, nameOf, plural, share } from "./words.ts";

export interface DiffViewProps {
  readonly before: Matrix;
  readonly after: Matrix;
  readonly diff: MatrixDiff;
}

/** What changed from one result to another, what became worse first. */
export function DiffView({ before, after, diff }: DiffViewProps): JSX.Element {
  const worse = diff.cells.reduce((sum, cell) => sum + badness(cell), 0);
  const better = diff.cells.reduce((sum, cell) => sum + cell.better.length, 0);
  const runtimes = [...after.runtimes, ...before.runtimes];
  return (
    <section class="diff">
      <header class={worse > 0 ? "answer bad" : "answer good"}>
        <h1>{headline(worse, better, diff)}</h1>
        <p>
          {day(after.started)}, compared with {day(before.started)}. {plural(diff.same, "cell")} of the matrix{" "}
          {diff.same === 1 ? "is" : "are"} the same.
        </p>
      </header>
      <Changes
        title="The suites differ, so not every change is a backend's"
        changes={diff.suite.map((each) => [each.name, each.before, each.after])}
      />
      <Changes title="Runtimes" changes={diff.runtimes.map((each) => [each.name, each.before ?? "not run", each.after ?? "not run"])} />
      {[...diff.cells]
        .sort((a, b) => badness(b) - badness(a))
        .map((cell) => (
          <Cell key={hashOf(cell)} cell={cell} runtime={nameOf(cell.runtime, runtimes)} />
        ))}
    </section>
  );
}

function headline(worse: number, better: number, { cells, suite, runtimes }: MatrixDiff): string {
  const parts = [...(worse > 0 ? [`${worse} worse`] : []), ...(better > 0 ? [`${better} better`] : [])];
  if (parts.length > 0) return `${parts.join(", ")}${worse > 0 ? "" : ", nothing worse"}`;
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
  return <Changes title={title} changes={changes.map(({ name, before, after }) => [name, word(before), word(after)])} />;
}

type Row = readonly [name: string, before: string, after: string];

function Changes({ title, changes }: { readonly title: string; readonly changes: readonly Row[] }): JSX.Element | null {
  if (changes.length === 0) return null;
  return (
    <div class="scroll">
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">Before</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(([name, before, after]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{before}</td>
              <td>{after}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
