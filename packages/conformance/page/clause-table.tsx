import type { JSX } from "preact";
import { CLAUSES } from "../src/clauses.generated.ts";
import type { MatrixResult } from "../src/matrix/index.ts";
import { Opened } from "./opened.tsx";
import { Scroll } from "./scroll.tsx";
import { plural, share } from "./words.ts";

/** All clauses with all their numbers. */
export function ClauseTable({ result: { clauses } }: { readonly result: MatrixResult }): JSX.Element {
  const count = (value: number): string => (value === 0 ? "" : String(value));
  return (
    <>
      <h3>All clauses</h3>
      <Opened summary={plural(clauses.length, "clause")}>
        <Scroll label="All clauses">
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">Clause</th>
                <th scope="col">Passed</th>
                <th scope="col">Failed</th>
                <th scope="col">Not run</th>
                <th scope="col">Skipped</th>
                <th scope="col">Deviate</th>
                <th scope="col">Error / bound</th>
                <th scope="col">Keras</th>
                <th scope="col">Error / Keras's</th>
              </tr>
            </thead>
            <tbody>
              {clauses.map(({ clause, passed, failed, notRun, skipped, xfailed, worst, reference, timesReference }) => (
                <tr key={clause}>
                  <th scope="row">
                    {clause} {CLAUSES[clause] ?? ""}
                  </th>
                  <td>{passed}</td>
                  <td class="wrong">{count(failed)}</td>
                  <td class="wrong">{count(notRun)}</td>
                  <td>{count(skipped)}</td>
                  <td>{count(xfailed)}</td>
                  <td class={worst !== null && !(worst.share <= 1) ? "wrong" : ""}>{worst === null ? "" : share(worst.share)}</td>
                  <td>{reference === null ? "" : share(reference.share)}</td>
                  <td>{timesReference === null ? "" : `${share(timesReference.times)}x`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </Opened>
    </>
  );
}
