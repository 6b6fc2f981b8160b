import type { JSX } from "preact";
import { CLAUSES } from "../src/clauses.generated.ts";
import type { MatrixClause, RunCell } from "../src/matrix/index.ts";
import { isOffScale, place, TICKS } from "./scale.ts";
import { share } from "./words.ts";

export interface AccuracyProps {
  readonly cell: RunCell;
  readonly others: readonly RunCell[];
}

/** The worst error of every clause beside its bound, as a picture and in numbers: of this cell, of Keras itself, and of all other cells. */
export function Accuracy({ cell, others }: AccuracyProps): JSX.Element | null {
  const clauses = cell.result.clauses.filter(({ worst }) => worst !== null);
  if (clauses.length === 0) return null;
  return (
    <>
      <h3>Worst error against its bound</h3>
      <p class="hint legend">
        <Sample>
          <circle cx="50%" cy="50%" r="5" class="own" />
        </Sample>{" "}
        this backend{" "}
        <Sample>
          <Diamond x={50} />
        </Sample>{" "}
        Keras itself{" "}
        {others.length > 0 && (
          <>
            <Sample>
              <line x1="50%" x2="50%" y1="20%" y2="80%" class="other" />
            </Sample>{" "}
            the other backends and runtimes{" "}
          </>
        )}
        <Sample>
          <line x1="50%" x2="50%" y1="0" y2="100%" class="bound" />
        </Sample>{" "}
        the bound; each step of the scale is ten times
      </p>
      <table class="accuracy">
        <thead>
          <tr>
            <th scope="col">Clause</th>
            <th scope="col" class="picture">
              <span class="hidden">Picture</span>
              <Scale />
            </th>
            <th scope="col">
              Error / bound <small>Keras</small>
            </th>
          </tr>
        </thead>
        <tbody>
          {clauses.map((clause) => (
            <tr key={clause.clause}>
              <th scope="row">
                <b>{clause.clause}</b> {CLAUSES[clause.clause] ?? ""}
              </th>
              <td class="picture">
                <Picture clause={clause} others={sharesOf(clause.clause, others)} />
              </td>
              <td title={clause.worst!.check} class={clause.worst!.share <= 1 ? "" : "wrong"}>
                {share(clause.worst!.share)}
                <small title={clause.reference?.check}>{clause.reference === null ? " " : referenceOf(clause.reference)}</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Keras's own; another framework made some of the vectors. */
function referenceOf({ framework, share: value }: NonNullable<MatrixClause["reference"]>): string {
  return /keras/i.test(framework) ? share(value) : `${framework} ${share(value)}`;
}

/** The numbers stand beside it. */
function Picture({ clause: { worst, reference }, others }: { clause: MatrixClause; others: readonly number[] }): JSX.Element {
  return (
    <svg aria-hidden="true" width="100%" height="26">
      <Grid />
      {others.map((each) => (
        <line key={each} x1={`${place(each)}%`} x2={`${place(each)}%`} y1="7" y2="19" class="other" />
      ))}
      {reference !== null && <Diamond x={place(reference.share)} />}
      <circle cx={`${place(worst!.share)}%`} cy="50%" r="5" class={worst!.share <= 1 ? "own" : "own beyond"} />
      {isOffScale(worst!.share) && (
        <text x={`${place(worst!.share) - 3}%`} y="17" text-anchor="end" class="beyond">
          →
        </text>
      )}
    </svg>
  );
}

/** The bound, what lies beyond it, and the steps of the scale. */
function Grid(): JSX.Element {
  return (
    <>
      <rect x={`${place(1)}%`} y="0" width={`${100 - place(1)}%`} height="100%" class="outside" />
      {TICKS.map((tick) => (
        <line key={tick} x1={`${place(tick)}%`} x2={`${place(tick)}%`} y1="0" y2="100%" class={tick === 1 ? "bound" : "grid"} />
      ))}
    </>
  );
}

function Scale(): JSX.Element {
  return (
    <svg aria-hidden="true" width="100%" height="18">
      {TICKS.map((tick) => (
        <text key={tick} x={`${place(tick)}%`} y="13" text-anchor="middle">
          {tick === 1 ? "bound" : tick < 1 ? `1/${1 / tick}` : `${tick}x`}
        </text>
      ))}
    </svg>
  );
}

function Diamond({ x }: { readonly x: number }): JSX.Element {
  return (
    <svg aria-hidden="true" x={`${x}%`} y="50%" overflow="visible">
      <path d="M-6 0 0 -6 6 0 0 6Z" class="reference" />
    </svg>
  );
}

function Sample({ children }: { readonly children: JSX.Element }): JSX.Element {
  return (
    <svg aria-hidden="true" width="16" height="16">
      {children}
    </svg>
  );
}

/** Each only once, so that equal ones are one line. */
function sharesOf(clause: string, cells: readonly RunCell[]): number[] {
  const shares = cells.flatMap(({ result }) => result.clauses.find((each) => each.clause === clause)?.worst?.share ?? []);
  return [...new Set(shares)].sort((a, b) => a - b);
}
