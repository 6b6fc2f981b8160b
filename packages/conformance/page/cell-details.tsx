import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Matrix, MatrixCell, RunCell } from "../src/matrix/index.ts";
import { describeCause } from "../src/reporters/summary.ts";
import { Accuracy } from "./accuracy.tsx";
import { ClauseTable } from "./clause-table.tsx";
import { Failures } from "./failures.tsx";
import { ListedChecks } from "./listed-checks.tsx";
import { MARK, nameOf, narrowing, plural, seconds, standingOf } from "./words.ts";

export interface CellDetailsProps {
  readonly cell: MatrixCell;
  readonly matrix: Matrix;
  /** Those that ran besides it. */
  readonly others: readonly RunCell[];
  /** Whether it was chosen, so that a reader is taken there. */
  readonly focused: boolean;
}

/** Everything about one backend on one runtime, what is wrong first. */
export function CellDetails({ cell, matrix, others, focused }: CellDetailsProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focused) heading.current?.focus();
  }, [focused]);
  const standing = standingOf(cell, matrix);
  return (
    <section class="details">
      <h2 ref={heading} tabIndex={-1} class={standing}>
        <span aria-hidden="true">{MARK[standing]} </span>
        {cell.backend} <span class="on">on {nameOf(cell.runtime, matrix.runtimes)}</span>
      </h2>
      {cell.status === "not-run" ? <p>Not run: {cell.reason}</p> : <RanDetails cell={cell} others={others} />}
    </section>
  );
}

function RanDetails({ cell, others }: { readonly cell: RunCell; readonly others: readonly RunCell[] }): JSX.Element {
  const { result, run } = cell;
  const { passed, failed, skipped, xfailed, notRun, duration, problems, causes, cases, skips } = result;
  const filter = narrowing(cell);
  const counts = [
    `${passed} of ${run.selected} checks passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(notRun > 0 ? [`${notRun} not run`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(xfailed > 0 ? [plural(xfailed, "known deviation")] : []),
  ];
  const byReason = (status: "not-run" | "xfailed"): [reason: string, ids: string[]][] => {
    const found = new Map<string, string[]>();
    for (const { id, reason = "" } of cases.filter((each) => each.status === status)) found.set(reason, [...(found.get(reason) ?? []), id]);
    return [...found];
  };
  return (
    <>
      <p>
        {counts.join(", ")}, in {seconds(duration)}.{filter !== "" && ` What was run: ${filter}.`}
      </p>
      {problems.map((problem) => (
        <Problem key={problem} text={problem} />
      ))}
      {causes.length > 0 && (
        <>
          <h3>What the failures have in common</h3>
          <ul>
            {causes.map((cause) => (
              <li key={cause.traits.join()}>{describeCause(cause)}</li>
            ))}
          </ul>
        </>
      )}
      {failed > 0 && <Failures result={result} />}
      {notRun > 0 && <ListedChecks title="Not run" groups={byReason("not-run")} />}
      <Accuracy cell={cell} others={others} />
      {xfailed > 0 && <ListedChecks title="Known deviations" groups={byReason("xfailed")} />}
      {skipped > 0 && <ListedChecks title="Skipped" groups={skips.map(({ reason, checks }) => [reason, checks])} />}
      <ClauseTable result={result} />
    </>
  );
}

/** The first line is a sentence, the others are where it comes from. */
function Problem({ text }: { readonly text: string }): JSX.Element {
  const [sentence, ...lines] = text.split("\n");
  return (
    <div class="problem">
      <p>{sentence}</p>
      {lines.length > 0 && <pre>{lines.join("\n")}</pre>}
    </div>
  );
}
