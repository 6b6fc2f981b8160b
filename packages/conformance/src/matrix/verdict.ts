import type { Matrix, MatrixCell, MissingCell, RunCell } from "./format.ts";

/** Whether everything that was run is right. What was not run is no failure here: see `missingCells`. */
export function isMatrixGreen({ cells, problems }: Matrix): boolean {
  return problems.length === 0 && cells.every((cell) => cell.status === "not-run" || isCellSound(cell));
}

/** Whether a cell was run and is right. */
export function isCellSound(cell: MatrixCell): boolean {
  if (cell.status === "not-run") return false;
  const { failed, notRun, problems } = cell.result;
  return failed === 0 && notRun === 0 && problems.length === 0;
}

export function runCells({ cells }: Matrix): RunCell[] {
  return cells.filter((cell) => cell.status === "ran");
}

export function missingCells({ cells }: Matrix): MissingCell[] {
  return cells.filter((cell) => cell.status === "not-run");
}

/** Whether a cell had all of the suite. */
export function isWhole({ run }: RunCell, { suite }: Matrix): boolean {
  return run.selected === suite.checks;
}

/** What a matrix says, in a sentence that claims no more than was run. */
export function matrixVerdict(matrix: Matrix): string {
  const ran = runCells(matrix);
  const missing = missingCells(matrix).length;
  const whole = ran.filter((cell) => isWhole(cell, matrix)).length;
  const bad = ran.filter((cell) => !isCellSound(cell)).map(({ backend, runtime }) => `${backend} on ${runtime}`);
  const of = `${ran.length} of ${ran.length + missing} cells were run, ${whole} of them with the whole suite`;
  if (bad.length > 0) return `Does not conform: ${list(bad)}. ${of}.`;
  if (matrix.problems.length > 0) return `Something is wrong with the run. ${of}.`;
  return ran.length === 0 ? "Nothing was run." : `Conforms: all ${ran.length} cells that were run. ${of}.`;
}

function list(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(", ")} and ${names.length - 6} more` : names.join(", ");
}
