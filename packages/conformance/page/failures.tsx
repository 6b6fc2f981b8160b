import type { JSX } from "preact";
import type { Failure } from "../src/checks/check.ts";
import { CLAUSES } from "../src/clauses.generated.ts";
import type { MatrixCase, MatrixResult } from "../src/matrix/index.ts";
import { faultWeight } from "../src/reporters/summary.ts";
import { FirstFew } from "./first-few.tsx";
import { Opened } from "./opened.tsx";
import { Scroll } from "./scroll.tsx";
import { exact, share } from "./words.ts";

/** The failed checks by clause, the clause at fault first as far as that can be told; down to position and values. */
export function Failures({ result }: { readonly result: MatrixResult }): JSX.Element {
  const failed = result.cases.filter(({ status }) => status === "failed");
  const clauses = result.clauses
    .filter((each) => each.failed > 0)
    .map((each) => ({ ...each, checks: failed.filter(({ clause }) => clause === each.clause) }))
    .map((each) => ({ ...each, of: each.passed + each.failed, weight: faultWeight(each.checks, each.passed + each.failed) }))
    .sort((a, b) => b.weight - a.weight);
  return (
    <>
      <h3>Failed checks</h3>
      <p class="hint">The clause that is most likely at fault comes first.</p>
      <FirstFew all={clauses} count={CLAUSES_LISTED} what="clauses">
        {(shown) => (
          <>
            {shown.map(({ clause, of, checks }, index) => (
              <Opened key={clause} open={index === 0} summary={<Clause clause={clause} failed={checks.length} of={of} />}>
                <Checks checks={checks} />
              </Opened>
            ))}
          </>
        )}
      </FirstFew>
    </>
  );
}

/** So many clauses, and checks of a clause, are listed at once. */
const CLAUSES_LISTED = 6;
const CHECKS_LISTED = 8;

function Clause({ clause, failed, of }: { readonly clause: string; readonly failed: number; readonly of: number }): JSX.Element {
  return (
    <>
      {clause} {CLAUSES[clause] ?? ""}{" "}
      <small>
        {failed} of {of}
      </small>
    </>
  );
}

function Checks({ checks }: { readonly checks: readonly MatrixCase[] }): JSX.Element {
  return (
    <FirstFew all={checks} count={CHECKS_LISTED} what="checks">
      {(shown) => (
        <>
          {shown.map((check, index) => (
            <Opened key={check.id} open={index === 0} summary={<code>{check.id}</code>}>
              <Check check={check} />
            </Opened>
          ))}
        </>
      )}
    </FirstFew>
  );
}

/** What is wrong in one check: wrong numbers as a table, all else as sentences. */
function Check({ check }: { readonly check: MatrixCase }): JSX.Element {
  const { failures, failureCount, lost } = check;
  const wrong = failures.filter(({ output }) => output !== undefined);
  const others = failures.filter(({ output }) => output === undefined);
  const more = failureCount - failures.length;
  return (
    <>
      {lost !== undefined && <p>The backend {lost}.</p>}
      {others.map(({ message, stack }) => (
        <div key={message}>
          <p>{message}</p>
          {stack !== undefined && <pre>{stack}</pre>}
        </div>
      ))}
      {wrong.length > 0 && <WrongNumbers failures={wrong} />}
      {more > 0 && <p class="hint">and {more} more.</p>}
    </>
  );
}

function WrongNumbers({ failures }: { readonly failures: readonly Failure[] }): JSX.Element {
  return (
    <Scroll label="Wrong numbers">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">Output</th>
            <th scope="col">Step</th>
            <th scope="col">Expected</th>
            <th scope="col">Got</th>
            <th scope="col">Error, ULP</th>
            <th scope="col">Bound</th>
            <th scope="col">Error / bound</th>
          </tr>
        </thead>
        <tbody>
          {failures.map(({ message, output, step, position, expected, got, ulp, bound, share: times }) => (
            <tr key={message}>
              <th scope="row">
                {output}
                {position !== undefined && `[${position.join(", ")}]`}
              </th>
              <td>{step ?? ""}</td>
              <td>{maybe(expected, exact)}</td>
              <td class="wrong">{maybe(got, exact)}</td>
              <td>{maybe(ulp, (value) => (Number.isFinite(value) ? value.toPrecision(3) : "not finite"))}</td>
              <td>{maybe(bound, (value) => value.toPrecision(3))}</td>
              <td class="wrong">{maybe(times, share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function maybe(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? "" : format(value);
}
