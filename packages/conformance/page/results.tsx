import type { JSX } from "preact";
import { cellKey, type Matrix, type MatrixCell, type RunCell } from "../src/matrix/index.ts";
import { CellDetails } from "./cell-details.tsx";
import { HowItRan } from "./how-it-ran.tsx";
import { MatrixTable } from "./matrix-table.tsx";
import { useSelectedCell } from "./selected-cell.ts";
import { answerOf, day, standingOf } from "./words.ts";

export interface ResultsProps {
  readonly matrix: Matrix;
  /** Of its first heading. */
  readonly level: 1 | 2;
}

/** One result: the answer, the matrix, one cell of it in detail, and how it was run. */
export function Results({ matrix, level }: ResultsProps): JSX.Element {
  const { good, headline, details } = answerOf(matrix);
  const [selected, select] = useSelectedCell(matrix.cells, firstOf(matrix));
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <>
      <header class={good === null ? "answer" : good ? "answer good" : "answer bad"}>
        <Heading>
          {good !== null && <span aria-hidden="true">{good ? "✓" : "✗"} </span>}
          {headline}
        </Heading>
        <p>
          {matrix.suite.checks} checks of the spec, {matrix.suite.vectors.count} of them golden vectors made by the real Keras, tf-keras and
          PyTorch. {day(matrix.started)}.
        </p>
        {details.map((each) => (
          <p key={each}>{each}</p>
        ))}
      </header>
      <MatrixTable matrix={matrix} selected={selected === null ? null : cellKey(selected)} />
      {selected !== null && (
        <CellDetails key={cellKey(selected)} cell={selected} matrix={matrix} others={othersOf(matrix, selected)} focused={select} />
      )}
      <HowItRan matrix={matrix} />
    </>
  );
}

/** The cell that is shown unless one is asked for: what is wrong comes first. */
function firstOf(matrix: Matrix): MatrixCell | null {
  const { cells } = matrix;
  return cells.find((cell) => standingOf(cell, matrix) === "fails") ?? cells.find(({ status }) => status === "ran") ?? cells[0] ?? null;
}

function othersOf({ cells }: Matrix, selected: MatrixCell): RunCell[] {
  return cells.filter((cell): cell is RunCell => cell.status === "ran" && cell !== selected);
}
