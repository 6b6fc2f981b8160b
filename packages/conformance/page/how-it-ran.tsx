import type { JSX } from "preact";
import type { Matrix } from "../src/matrix/index.ts";
import { Scroll } from "./scroll.tsx";
import { seconds } from "./words.ts";

/** The runtimes, and with what the run can be made again. */
export function HowItRan({ matrix: { runtimes, suite, duration } }: { readonly matrix: Matrix }): JSX.Element {
  return (
    <section class="quiet">
      <h2>How it was run</h2>
      <Scroll label="Runtimes">
        <table>
          <thead>
            <tr>
              <th scope="col">Runtime</th>
              <th scope="col">Version</th>
              <th scope="col">Platform</th>
            </tr>
          </thead>
          <tbody>
            {runtimes.map((runtime) => (
              <tr key={runtime.id}>
                <th scope="row">{runtime.name}</th>
                <td>{runtime.version ?? ""}</td>
                <td>
                  {runtime.status === "ran" ? (
                    (runtime.platform ?? "")
                  ) : (
                    <>
                      Not run: {runtime.reason}. To get it: <code>{runtime.howToGet}</code>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p>
        Suite {suite.version}, seed {suite.seed}, {suite.runs} random cases of each property, {seconds(duration)} in all. Golden vectors{" "}
        <code>{suite.vectors.sha256.slice(0, 12)}</code>. An error passes if it is within a bound that the spec derives from its count of
        roundings; no bound is tuned.
      </p>
    </section>
  );
}
