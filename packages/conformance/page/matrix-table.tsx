import type { JSX } from "preact";
import { cellKey, type Matrix, type MatrixCell, type MatrixRuntime } from "../src/matrix/index.ts";
import { Scroll } from "./scroll.tsx";
import { hashOf } from "./selected-cell.ts";
import { MARK, type Standing, standingOf } from "./words.ts";

export interface MatrixTableProps {
  readonly matrix: Matrix;
  /** The key of the cell that is shown in detail. */
  readonly selected: string | null;
}

/** Backends down, runtimes across; each cell leads to its details. */
export function MatrixTable({ matrix, selected }: MatrixTableProps): JSX.Element {
  const { runtimes, cells } = matrix;
  const backends = [...new Set(cells.map(({ backend }) => backend))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const at = new Map(cells.map((cell) => [cellKey(cell), cell]));
  return (
    <>
      <Scroll label="Backends on runtimes">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">Backend</th>
              {runtimes.map((runtime) => (
                <th scope="col" key={runtime.id}>
                  {runtime.name}
                  <small>{versionOf(runtime)}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {backends.map((backend) => (
              <tr key={backend}>
                <th scope="row">{backend}</th>
                {runtimes.map((runtime) => {
                  const cell = at.get(cellKey({ backend, runtime: runtime.id }));
                  return <td key={runtime.id}>{cell && <CellLink cell={cell} matrix={matrix} current={cellKey(cell) === selected} />}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <Legend matrix={matrix} />
    </>
  );
}

function CellLink({ cell, matrix, current }: { cell: MatrixCell; matrix: Matrix; current: boolean }): JSX.Element {
  const standing = standingOf(cell, matrix);
  return (
    <a class={`cell ${standing}`} href={hashOf(cell)} aria-current={current ? "true" : undefined}>
      <span aria-hidden="true">{MARK[standing]}</span> {brief(cell)}
    </a>
  );
}

/** What stands in a cell; the mark before it is not read aloud. */
function brief(cell: MatrixCell): JSX.Element {
  if (cell.status === "not-run") return <>not run</>;
  const { passed, failed, skipped, xfailed, notRun, problems } = cell.result;
  const bad = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(notRun > 0 ? [`${notRun} not run`] : []),
    ...(failed + notRun === 0 && problems.length > 0 ? ["a problem"] : []),
  ];
  const known = [
    ...(bad.length > 0 ? [`${passed} passed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(xfailed > 0 ? [`${xfailed} deviate`] : []),
  ];
  return (
    <>
      {bad.length > 0 ? (
        bad.join(", ")
      ) : (
        <>
          {passed}
          <span class="hidden"> passed</span>
        </>
      )}
      {known.map((each) => (
        <small key={each}>{each}</small>
      ))}
    </>
  );
}

const MEANINGS: Readonly<Record<Standing, string>> = {
  conforms: "so many checks passed, of the whole suite",
  "passed-part": "so many passed, of a part of the suite",
  fails: "something is wrong",
  "not-run": "was not run",
};

/** What the marks in this matrix mean. */
function Legend({ matrix }: { readonly matrix: Matrix }): JSX.Element {
  const used = new Set(matrix.cells.map((cell) => standingOf(cell, matrix)));
  const standings = (Object.keys(MEANINGS) as Standing[]).filter((each) => used.has(each));
  return (
    <ul class="marks hint">
      {standings.map((each) => (
        <li key={each} class={each}>
          <b>{MARK[each]}</b> {MEANINGS[each]}
        </li>
      ))}
    </ul>
  );
}

function versionOf({ name, version, status }: MatrixRuntime): string {
  if (status === "not-run") return "not run";
  return version === null || name.endsWith(version) ? "" : version;
}
