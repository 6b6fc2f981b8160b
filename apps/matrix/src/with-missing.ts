import { cellKey, type Matrix, type MatrixCell, type MatrixRuntime, mergeMatrices } from "@batchnorm/conformance/matrix";
import type { Task } from "./plan.ts";

const REASON = "none of the merged result files has it";

/** The matrix with a cell for each of the tasks: those that are not in it were not run. */
export function withMissing(matrix: Matrix, tasks: readonly Task[]): Matrix {
  const keys = new Set(matrix.cells.map(cellKey));
  const missing = tasks.filter(({ runtime, backend }) => !keys.has(cellKey({ runtime: runtime.id, backend })));
  const cells = missing.map(({ runtime, backend }): MatrixCell => ({ backend, runtime: runtime.id, status: "not-run", reason: REASON }));
  const runtimes = [...new Set(missing.map(({ runtime }) => runtime))].map(
    ({ id, name, howToGet }): MatrixRuntime => ({ id, name, version: null, platform: null, status: "not-run", reason: REASON, howToGet }),
  );
  // Merged, so that a runtime that ran stays one that ran.
  return mergeMatrices([matrix, { ...matrix, duration: 0, runtimes, cells, problems: [] }]);
}
