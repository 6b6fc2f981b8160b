export { type CellDiff, type Change, diffMatrices, type KnownStatus, type MatrixDiff } from "./diff.ts";
export {
  MATRIX_SCHEMA,
  type Matrix,
  type MatrixCase,
  type MatrixCell,
  type MatrixClause,
  type MatrixExtreme,
  type MatrixResult,
  type MatrixRun,
  type MatrixRuntime,
  type MatrixSuite,
  type MissingCell,
  type RunCell,
} from "./format.ts";
export { type MatrixJunitOptions, matrixJunit } from "./junit.ts";
export { matrixClausesMarkdown, matrixMarkdown, matrixSummary } from "./markdown.ts";
export { cellKey, mergeMatrices } from "./merge.ts";
export { readMatrix, writeMatrix } from "./read.ts";
export { reduceResult, suiteOf, toMatrix } from "./to-matrix.ts";
export { isCellSound, isMatrixGreen, isWhole, matrixVerdict, missingCells, runCells } from "./verdict.ts";
