import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Matrix } from "../src/matrix/index.ts";
import { Matrices } from "./matrices.tsx";

/** The whole page. */
export function Page({ initial }: { readonly initial: readonly Matrix[] }): JSX.Element {
  const [matrices, setMatrices] = useState(initial);
  return (
    <>
      <p class="name">Conformance of batch normalization</p>
      {matrices.length === 0 && <h1>No result is open</h1>}
      <Matrices matrices={matrices} onOpen={setMatrices} level={1} />
    </>
  );
}
