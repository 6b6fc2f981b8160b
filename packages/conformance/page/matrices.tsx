import type { JSX } from "preact";
import { diffMatrices, type Matrix } from "../src/matrix/index.ts";
import { DiffView } from "./diff-view.tsx";
import { OpenResult } from "./open-result.tsx";
import { Results } from "./results.tsx";

export interface MatricesProps {
  /** None, one, or two: of two the later one is shown, and compared with the first. */
  readonly matrices: readonly Matrix[];
  /** Takes those that a visitor opens. */
  readonly onOpen: (matrices: readonly Matrix[]) => void;
  /** Of the first heading. */
  readonly level: 1 | 2;
}

/** One result, or what changed between two, with a way to open another. */
export function Matrices({ matrices, onOpen, level }: MatricesProps): JSX.Element {
  const matrix = matrices.at(-1) ?? null;
  const before = matrices.length > 1 ? matrices[0] : null;
  return (
    <>
      {matrix !== null && before !== null && <DiffView before={before} after={matrix} diff={diffMatrices(before, matrix)} level={level} />}
      {matrix !== null && <Results matrix={matrix} level={before === null ? level : 2} />}
      <OpenResult shown={matrix} compared={before} onOpen={onOpen} />
    </>
  );
}
