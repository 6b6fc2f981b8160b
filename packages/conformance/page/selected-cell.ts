import { useEffect, useState } from "preact/hooks";
import { cellKey, type MatrixCell } from "../src/matrix/index.ts";

/** The address of a cell within the page. */
export function hashOf(cell: Pick<MatrixCell, "backend" | "runtime">): string {
  return `#${encodeURIComponent(cellKey(cell))}`;
}

/**
 * The cell that the page's address names, or the first one. It follows the address, so that a cell can be linked to, and the browser's
 * way back works.
 *
 * @returns the cell, and whether it was chosen since the page was opened.
 */
export function useSelectedCell(cells: readonly MatrixCell[], first: MatrixCell | null): [cell: MatrixCell | null, chosen: boolean] {
  const [hash, setHash] = useState(typeof location === "undefined" ? "" : location.hash);
  const [chosen, setChosen] = useState(false);
  useEffect(() => {
    const follow = (): void => {
      setHash(location.hash);
      setChosen(true);
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return [cells.find((cell) => hashOf(cell) === hash) ?? first, chosen];
}
