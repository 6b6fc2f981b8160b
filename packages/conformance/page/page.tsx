import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { diffMatrices, type Matrix } from "../src/matrix/index.ts";
import { DiffView } from "./diff-view.tsx";
import { OpenResult } from "./open-result.tsx";
import { Results } from "./results.tsx";

/**
 * The whole page of a result, or of two.
 *
 * @param initial none, one, or two of which the later one is shown and compared with the other.
 */
export function Page({ initial }: { readonly initial: readonly Matrix[] }): JSX.Element {
  const [matrices, setMatrices] = useState(initial);
  const matrix = matrices.at(-1) ?? null;
  const before = matrices.length > 1 ? matrices[0] : null;
  return (
    <>
      <p class="name">Conformance of batch normalization</p>
      {matrix === null && <h1>No result is open</h1>}
      {matrix !== null && before !== null && <DiffView before={before} after={matrix} diff={diffMatrices(before, matrix)} />}
      {matrix !== null && <Results matrix={matrix} level={before === null ? 1 : 2} />}
      <OpenResult shown={matrix} compared={before} onOpen={setMatrices} />
    </>
  );
}
